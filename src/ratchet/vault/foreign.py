"""What other tools write: Markdown runbooks, Ansible playbooks, Rundeck jobs, CACAO v2. Only words are taken."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from ratchet.domain.errors import invalid
from ratchet.domain.lines import read_sheet
from ratchet.domain.sheet import Fields, Sheet
from ratchet.vault.making import PERSON
from ratchet.vault.outline import FileForm, Outline

_HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*$")
_ITEM = re.compile(r"^\s*(?:[-*+•]|\d+[.)])\s+(.*)$")
_FENCE = re.compile(r"\s*(?:[-*+•]\s+|\d+[.)]\s+)?(?:(`{3,})[^`]*|(~{3,}).*)$")
_MARKS = re.compile(r"[-*_=|: ]+")
_SECTIONS = {
    "symptoms": ("symptom", "alert", "problem", "impact", "what you see"),
    "steps": ("resolution", "remediation", "mitigation", "fix", "action", "recovery", "steps", "procedure"),
    "prevention": ("prevention", "follow-up", "follow up", "long term", "action items"),
    "owner": ("owner", "contact", "maintainer"),
    "prose": ("diagnosis", "investigation", "triage", "background", "verification", "overview", "escalation"),
}
_TASK_WORDS = frozenset({
    "name", "when", "register", "tags", "become", "become_user", "vars", "loop", "with_items", "notify", "until",
    "retries", "delay", "delegate_to", "run_once", "ignore_errors", "changed_when", "failed_when", "environment",
    "args", "no_log",
})  # fmt: skip
_DEEPEST = 6


def form_of(text: str) -> FileForm:
    """Which format a text is in, as far as it shows; what is no YAML of a known shape is read as Markdown."""
    if _HEADING.match(text.lstrip("\ufeff \r\n").partition("\n")[0]):
        return "markdown"
    data = read_sheet(text, "body")[0].data
    if data is None and not any(_HEADING.match(line) for line in text.splitlines()):
        return "ratchet"
    if isinstance(data, Mapping):
        fields = cast(Fields, data)
        if "apiVersion" in fields or "metadata" in fields:
            return "ratchet"
        if "workflow" in fields or str(fields.get("spec_version", "")).startswith("cacao"):
            return "cacao"
        return "rundeck" if "sequence" in fields else "ratchet"
    first = _first(data)
    if "sequence" in first:
        return "rundeck"
    return "ansible" if {"hosts", "tasks", "roles", "import_playbook", "block"} & set(first) else "markdown"


def outline_of(text: str, form: FileForm, where: str) -> Outline:
    """The outline of a file in that form; raises Refusal(INVALID) with what cannot be read."""
    if form == "markdown":
        return _markdown(text, where)
    sheet, broken = read_sheet(text, where)
    if broken or sheet.data is None:
        raise invalid(f"{where} cannot be read.", "Mend the lines named, and import it again.", broken)
    readers = {"ansible": _ansible, "rundeck": _rundeck, "cacao": _cacao}
    return readers[form](sheet)


def _markdown(text: str, where: str) -> Outline:
    title, section, depth = "", "prose", 0
    found: dict[str, list[str]] = {name: [] for name in _SECTIONS}
    for line, code in _told(text.lstrip("\ufeff").splitlines()):
        heading = None if code else _HEADING.match(line)
        said = heading.group(2) if heading else line.strip() if code else _words(line)
        if heading:
            named, level = _section(said), len(heading.group(1))
            if named or not title or level <= depth:
                section, depth = named or "prose", level
            said = "" if named or not title else said
            title = title or heading.group(2)
        if said:
            found[section].append(said)
    if not title:
        raise invalid(f"{where} has no heading to take a title from.", "Begin it with `# ` and the symptom.")
    owners = found.pop("owner")
    owner = next((line for line in owners if PERSON.fullmatch(line)), "")
    found["prose"] += [line for line in owners if line != owner]
    return Outline(form="markdown", title=title, owner=owner, **{name: tuple(lines) for name, lines in found.items()})


def _told(lines: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """Each line, and whether it stands in a fence, where `#` begins a comment and no heading; fences are left out."""
    fence = ""
    for line in lines:
        mark = _FENCE.match(line)
        if not fence and mark:
            fence = mark.group(1) or mark.group(2)
        elif fence and line.strip().startswith(fence) and not line.strip().strip(fence[0]):
            fence = ""
        else:
            yield line, bool(fence)


def _words(line: str) -> str:
    """What a line of Markdown says; empty for a rule, a comment and the line below a table's head."""
    item = _ITEM.match(line)
    said = item.group(1) if item else line.strip()
    if _MARKS.fullmatch(said) or said.startswith("<!--"):
        return ""
    if said.startswith("|"):
        return ", ".join(cell for cell in (one.strip() for one in said.split("|")) if cell)
    return said.strip("*_ ")


def _section(heading: str) -> str:
    folded = heading.casefold()
    return next((name for name, words in _SECTIONS.items() if any(word in folded for word in words)), "")


def _ansible(sheet: Sheet) -> Outline:
    plays = [cast(Fields, play) for play in _list(sheet.data) if isinstance(play, Mapping)]
    title = next((str(play["name"]) for play in plays if play.get("name")), "Imported Ansible playbook")
    steps = [line for play in plays for line in _tasks(play, 0)]
    return Outline(form="ansible", title=title, steps=tuple(steps))


def _tasks(play: Fields, depth: int) -> Iterator[str]:
    """Tasks in order, blocks and handlers included; a task is its name and its module, never the module's text."""
    for key in ("pre_tasks", "tasks", "block", "rescue", "always", "post_tasks", "handlers"):
        for task in _list(play.get(key)):
            if not isinstance(task, Mapping):
                continue
            fields = cast(Fields, task)
            if "block" in fields and depth < _DEEPEST:
                yield from _tasks(fields, depth + 1)
                continue
            module = next((name for name in fields if name not in _TASK_WORDS), "task")
            yield f"{fields.get('name') or module} (Ansible module {module})"


def _rundeck(sheet: Sheet) -> Outline:
    data: Any = sheet.data
    job = _first(data) if isinstance(data, list) else _fields(data)
    commands = _fields(job.get("sequence")).get("commands")
    steps = [_command(cast(Fields, one)) for one in _list(commands) if isinstance(one, Mapping)]
    prose = tuple(str(job.get("description") or "").splitlines())
    return Outline(form="rundeck", title=str(job.get("name") or "Imported job"), prose=prose, steps=tuple(steps))


def _command(command: Fields) -> str:
    kind = next((name for name in ("exec", "script", "scriptfile", "jobref", "type") if name in command), "step")
    said = command.get("description") or (command.get("exec") if kind == "exec" else "") or "without a description"
    return f"{said} (Rundeck {kind})"


def _cacao(sheet: Sheet) -> Outline:
    data = _fields(sheet.data)
    steps = _fields(data.get("workflow"))
    prose = tuple(str(data.get("description") or "").splitlines())
    lines = tuple(line for one in _in_order(data, steps) for line in _action(one))
    return Outline(form="cacao", title=str(data.get("name") or "Imported CACAO playbook"), prose=prose, steps=lines)


def _in_order(data: Fields, steps: Mapping[str, Any]) -> Iterator[Fields]:
    """The steps from the start along `on_completion` and `on_success`, then those that this does not reach."""
    seen: list[str] = []
    at = str(data.get("workflow_start") or "")
    while at in steps and at not in seen:
        seen.append(at)
        fields = _fields(steps[at])
        at = str(fields.get("on_completion") or fields.get("on_success") or "")
    for name in [*seen, *(name for name in steps if name not in seen)]:
        yield _fields(steps[name])


def _action(step: Fields) -> Iterator[str]:
    if step.get("type") in ("start", "end"):
        return
    commands = [cast(Fields, one) for one in _list(step.get("commands")) if isinstance(one, Mapping)]
    kinds = ", ".join(dict.fromkeys(str(one.get("type") or "command") for one in commands)) or str(step.get("type"))
    yield f"{step.get('name') or step.get('description') or 'step'} (CACAO {kinds})"


def _first(data: Any) -> Fields:
    items = _list(data)
    return _fields(items[0]) if items else {}


def _fields(value: Any) -> Fields:
    return cast(Fields, value) if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return cast(list[Any], value) if isinstance(value, list) else []
