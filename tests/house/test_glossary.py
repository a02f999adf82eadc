"""One word per thing: the glossary holds every noun and event, and no name hides behind an empty word."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "ratchet"

WORDS = """
    alert, incident, origin, timeline, event, target, probe, condition, evidence, hypothesis, cause, conclusion,
    playbook, series, version, owner, plan, step, effect, decision packet, approval, grant, checkpoint, verification,
    escalation,
    handoff, take over, hand back, budget, fault, drill, coverage, drift, certificate, backtest, similar, autonomy,
    agreement, receive, open, look, rank, conclude, ask, answer, act, recheck, verify, wait, resolve, escalate, close,
    draft, activate, retire, score, move, desk, port, toolbox, preview, refusal, tag, overlay
"""
EMPTY_WORDS = {
    "manager",
    "handler",
    "helper",
    "util",
    "utils",
    "service",
    "processor",
    "base",
    "common",
    "misc",
    "data",
    "info",
}
POSTGRES_WORDS = {"data_dir", "data_directory"}  # what a server calls its own home
PART = re.compile(r"[A-Z]+(?![a-z])\d*|[A-Z]?[a-z]+\d*|\d+")


def parts(name: str) -> list[str]:
    """`DecisionPacket`, `decision_packet` and `decision-packet` are the same two words."""
    return [part.lower() for part in PART.findall(name)]


def entries() -> set[str]:
    """What stands in bold or in code in the glossary, in lower-case words."""
    marked = re.findall(r"\*\*(.+?)\*\*|`([^`]+)`", (ROOT / "GLOSSARY.md").read_text(encoding="utf-8"))
    return {" ".join(parts(bold or code)) for bold, code in marked}


def modules() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path, ast.parse(path.read_text(encoding="utf-8"))


def nouns() -> Iterator[tuple[Path, str]]:
    """The public classes of the domain's own modules; a package inside it (a grammar's nodes) has words of its own."""
    for path, tree in modules():
        if path.parent == PACKAGE / "domain":
            yield from ((path, n.name) for n in tree.body if isinstance(n, ast.ClassDef) and not n.name.startswith("_"))


def names() -> Iterator[tuple[Path, int, str]]:
    """Every name the house gives to a module, class or function."""
    for path, tree in modules():
        yield path, 1, path.stem
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                yield path, node.lineno, node.name


@pytest.mark.parametrize("word", [word.strip() for word in WORDS.split(",")])
def test_every_word_of_the_house_has_its_entry(word):
    assert word in entries()


def test_every_noun_and_event_of_the_domain_has_its_entry():
    known = entries()
    missing = [f"{path.stem}: {name}" for path, name in nouns() if " ".join(parts(name)) not in known]
    assert not missing, "GLOSSARY.md lacks:\n" + "\n".join(missing)


def test_no_name_hides_behind_an_empty_word():
    found = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path, line, name in names()
        if EMPTY_WORDS & set(parts(name)) and name not in POSTGRES_WORDS
    ]
    assert not found, "\n".join(found)


def test_a_name_is_split_into_its_words():
    assert parts("DecisionPacket") == parts("decision_packet") == ["decision", "packet"]
    assert parts("HTTPHandler") == ["http", "handler"]
    assert parts("database") == ["database"]
    assert parts("_base64") == ["base64"]
