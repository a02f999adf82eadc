"""Nothing in the repository points at one machine or at one package registry."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# One letter of each stands in brackets, so that this file does not find itself.
FORBIDDEN = re.compile(
    r"/[w]ork/|/[f]arm/|/[r]oot/|/[h]ome/[a-z]|/opt/[p]ypi|[f]ile:///"
    r"|[p]ypi\.org|[p]ythonhosted|[r]egistry\.npmjs|[d]eb\.debian"
    r"|--[i]ndex-url |--[e]xtra-index-url|--[f]ind-links"
)


def tracked() -> list[Path]:
    """The files under version control, or all of them where there is none (an unpacked source archive)."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        return [path for path in ROOT.rglob("*") if path.is_file() and ".venv" not in path.parts]
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def addresses(text: str) -> list[tuple[int, str]]:
    return [(number, line) for number, line in enumerate(text.splitlines(), 1) if FORBIDDEN.search(line)]


def test_no_file_names_a_machine_path_or_a_registry():
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in tracked()
        for number, line in addresses(path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("line", ["/{}oot/.ratchet".format("r"), "https://{}ypi.org/simple".format("p")])
def test_an_address_would_be_noticed(line):
    assert addresses(f"fine\n{line}\n") == [(2, line)]


def test_every_locked_package_is_held_by_hashes():
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8").replace("\\\n", " ")
    unheld = [line for line in lock.splitlines() if line.strip() and "--hash=sha256:" not in line]
    assert not unheld
    assert len(lock.splitlines()) > 30
