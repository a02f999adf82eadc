"""Conditions in a file: each must parse, name only what is declared there, and look at its own probes."""

from collections.abc import Iterator
from dataclasses import dataclass

from ratchet.domain.condition import Condition, ConditionError
from ratchet.domain.errors import Mistake
from ratchet.domain.sheet import Fields, Path, Sheet, names, nearest, text
from ratchet.vault.known import KnownTools

Declared = dict[str, frozenset[str] | None]


@dataclass(frozen=True)
class Site:
    """One condition: where it stands, what it may name, and the probes it is looked at with (None: any)."""

    path: Path
    source: str
    declared: Declared
    probes: tuple[str, ...] | None = None
    must_use: bool = False


def expression_mistakes(sheet: Sheet, known: KnownTools) -> Iterator[Mistake]:
    """PB001 for what cannot be read, PB010 for undeclared names, PB013 for probes that are never used."""
    local = _local_probes(sheet, known)
    for site in _sites(sheet, local):
        yield from _check(sheet, site, local)
    for path, rule in sheet.each("spec", "triage", "hypotheses"):
        yield from _never_used(sheet, path, rule)


def _local_probes(sheet: Sheet, known: KnownTools) -> Declared:
    found: Declared = {}
    for path, probe in sheet.each("spec", "probes"):
        columns = known.probes.get(text(probe, "uses"))
        found[str(path[-1])] = columns | {"target"} if columns else None
    return found


def _sites(sheet: Sheet, local: Declared) -> Iterator[Site]:
    names_here: Declared = {**local, "params": None, "alert": None}
    for path, rule in sheet.each("spec", "preconditions"):
        yield from _optional(path, rule, "expect", names_here, names(rule, "probe"))
    for path, rule in sheet.each("spec", "triage", "hypotheses"):
        for key in ("confirm", "refute"):
            yield from _optional(path, rule, key, names_here, names(rule, "probes"))
        for below, item in sheet.each(*path, "objects"):
            yield from _object(sheet, below, {**names_here, "o": _row_columns(item, local)}, names(rule, "probes"))
    for path, _step in sheet.each("spec", "steps"):
        preview = sheet.fields(*path, "preview")
        yield from _optional((*path, "preview"), preview, "require", {"preview": None, "params": None}, None)
        for below, stop in sheet.each(*path, "stop_if"):
            yield from _optional(below, stop, "when", {"result": None, "params": None}, None)
    for path, rule in sheet.each("spec", "verify", "criteria"):
        found: Declared = {**names_here, "objects": None}
        yield from _optional(path, rule, "expect", found, names(rule, "probe"))
        asked: Declared = {**names_here, "hypothesis": None}
        yield from _optional(path, rule, "required_if", asked, names(rule, "probe"))


def _optional(path: Path, rule: Fields, key: str, declared: Declared, probes: tuple[str, ...] | None) -> Iterator[Site]:
    source = text(rule, key)
    if source.strip():
        yield Site((*path, key), source, declared, probes, must_use=probes is not None and key != "required_if")


def _object(sheet: Sheet, path: Path, declared: Declared, probes: tuple[str, ...]) -> Iterator[Site]:
    item = sheet.fields(*path)
    for key in ("each", "when", "id", "name"):
        source = text(item, key)
        if source.strip():
            yield Site((*path, key), source, declared, probes)
    for key in sheet.fields(*path, "keep"):
        yield Site((*path, "keep", key), text(sheet.fields(*path, "keep"), key), declared, probes)


def _row_columns(item: Fields, local: Declared) -> frozenset[str] | None:
    probe = text(item, "each").removesuffix(".rows_data")
    return local.get(probe)


def _check(sheet: Sheet, site: Site, local: Declared) -> Iterator[Mistake]:
    try:
        condition = Condition.parse(site.source)
    except ConditionError as error:
        yield sheet.mistake(
            site.path, "PB001", f"{_label(sheet, site)} cannot be read: {error.message}", _advice(error)
        )
        return
    for error in condition.check(_as_rows(site.declared)):
        yield sheet.mistake(site.path, "PB010", f"{_label(sheet, site)}: {error.message}", _advice(error))
    yield from _row_keys(sheet, site, condition)
    if site.probes is None:
        return
    used = condition.names & local.keys()
    for name in sorted(used - set(site.probes)):
        remedy = f"Add {name!r} to `probes:` beside it, so that it is looked at."
        yield sheet.mistake(site.path, "PB010", f"{_label(sheet, site)} reads {name!r} without naming it", remedy)
    if site.must_use and site.probes and not used & set(site.probes):
        message = f"{_label(sheet, site)} never uses {', '.join(site.probes)}"
        yield sheet.mistake(site.path, "PB013", message, "Ask something of what the probe saw.")


def _as_rows(declared: Declared) -> Declared:
    """`o` is a single row, whose keys are checked apart: to Condition a set of columns means a probe with rows."""
    return {name: None if name == "o" else columns for name, columns in declared.items()}


def _row_keys(sheet: Sheet, site: Site, condition: Condition) -> Iterator[Mistake]:
    columns = site.declared.get("o")
    if columns is None:
        return
    for key in sorted({path[1] for path in condition.paths if path[0] == "o" and len(path) > 1} - columns):
        message = f"{_label(sheet, site)}: the rows have no column {key!r}"
        yield sheet.mistake(site.path, "PB010", message, nearest(key, columns))


def _never_used(sheet: Sheet, path: Path, rule: Fields) -> Iterator[Mistake]:
    sources = [text(rule, "confirm"), text(rule, "refute")]
    for below, item in sheet.each(*path, "objects"):
        sources += [text(item, key) for key in ("each", "when", "id", "name")]
        sources += [text(sheet.fields(*below, "keep"), key) for key in sheet.fields(*below, "keep")]
    used: set[str] = set()
    for source in filter(str.strip, sources):
        try:
            used |= Condition.parse(source).names
        except ConditionError:
            return
    for name in names(rule, "probes"):
        if name not in used:
            message = f"the hypothesis {rule.get('id')!r} looks at {name!r} and never asks it anything"
            yield sheet.mistake((*path, "probes"), "PB013", message, "Use it in a condition, or do not look at it.")


def _label(sheet: Sheet, site: Site) -> str:
    """Where it stands, from the nearest thing that has a name of its own: `idle_leak.confirm`."""
    words: list[str] = []
    for n, part in enumerate(site.path):
        above = site.path[n - 1] if n else ""
        if isinstance(part, int):
            own = text(sheet.fields(*site.path[: n + 1]), "id")
            # What stands as `id` of an object is a condition, not a name.
            words = [own] if own and above != "objects" else [*words[:-1], f"{words[-1]}[{part}]"]
        else:
            words = [part] if above in ("spec", "steps") else [*words, part]
    return f"`{'.'.join(words)}`"


def _advice(error: ConditionError) -> str:
    place = "" if error.column is None else f"At column {error.column}: "
    return f"{place}{error.remedy or 'write it as docs/reference/conditions.md shows'}."
