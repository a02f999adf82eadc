"""The documents tell the truth: links lead somewhere, commands exist, generated pages are fresh."""

import re
from pathlib import Path

import pytest

from bench import __main__ as measurements
from ratchet.cli.program import main
from scripts import reference

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("bench/*.md")])
LINK = re.compile(r"\[[^\]]*\]\((?!https?:|mailto:)([^)\s#]*)(?:#([^)\s]+))?\)")
FENCE = re.compile(r"^```(?:sh|bash|console|shell)\n(.*?)^```", re.MULTILINE | re.DOTALL)
WORD = re.compile(r"[a-z][a-z-]*$")
TARGET = re.compile(r"^([a-z]+):", re.MULTILINE)


def anchors(text: str) -> set[str]:
    """The addresses of a page's headings, as forges make them."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def dead_links(page: Path) -> list[str]:
    dead: list[str] = []
    for name, anchor in LINK.findall(page.read_text(encoding="utf-8")):
        there = (page.parent / name).resolve() if name else page
        alive = there.exists() and (not anchor or anchor in anchors(there.read_text(encoding="utf-8")))
        dead += [] if alive else [f"{page.relative_to(ROOT)}: {name}#{anchor}"]
    return dead


def typed(text: str) -> list[list[str]]:
    """The command lines in a page's shell blocks, as words, without the prompt."""
    lines = (line.strip().removeprefix("$ ") for block in FENCE.findall(text) for line in block.splitlines())
    return [line.split() for line in lines if line and not line.startswith("#")]


def commands(text: str) -> set[tuple[str, ...]]:
    """`ratchet target add shop --kind postgres` names the command (target, add, shop): words up to the first value."""
    found: set[tuple[str, ...]] = set()
    for program, *words in typed(text):
        if program.rpartition("/")[2] == "ratchet":
            stop = next((n for n, word in enumerate(words) if not WORD.match(word)), len(words))
            found.add(tuple(words[:stop]))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    assert dead_links(page) == []


def test_a_dead_link_would_be_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr("tests.house.test_docs.ROOT", tmp_path)
    page = tmp_path / "page.md"
    page.write_text("# Here\n[a](gone.md) [b](#here) [c](#gone) [d](page.md#here)\n", encoding="utf-8")
    assert dead_links(page) == ["page.md: gone.md#", "page.md: #gone"]


def test_every_make_target_in_the_documents_exists():
    targets = set(TARGET.findall((ROOT / "Makefile").read_text(encoding="utf-8")))
    named = {words[1] for page in PAGES for words in typed(page.read_text(encoding="utf-8")) if words[0] == "make"}
    assert {"demo", "test"} <= named <= targets


@pytest.mark.parametrize(
    "page", [page for page in PAGES if commands(page.read_text(encoding="utf-8"))], ids=lambda page: page.stem
)
def test_every_command_in_the_documents_exists(page, capsys):
    for words in sorted(commands(page.read_text(encoding="utf-8"))):
        code = main([*words, "--help"])
        assert code == 0, f"ratchet {' '.join(words)}: {capsys.readouterr().err}"


def test_every_measurement_can_be_taken():
    assert {"commit", "grant", "help_screen", "intake", "probes", "triage"} <= set(measurements.names())
    for name in measurements.names():
        sentence, run = measurements.load(name)
        assert sentence.endswith(".")
        assert callable(run)


@pytest.mark.parametrize("name", sorted(reference.PAGES))
def test_the_reference_says_what_the_code_says(name):
    written = (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")
    assert written == reference.PAGES[name](), "run `make docs`"


def test_the_architecture_fits_two_hundred_lines():
    assert len((ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").splitlines()) <= 200
