"""The floors stand: every import goes down, and the contract notices one that does not."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONTRACT = ROOT / "pyproject.toml"
DOORS = ["cli", "gateway", "console", "mcp", "chat"]
WORKSHOPS = ["desk", "triage", "execution", "vault", "lab"]
GROUND = ["config", "security", "domain"]
HANDS = ["store", "tools", "reason", "notify"]
ROOMS = [*DOORS, "wiring", *WORKSHOPS, *HANDS, *GROUND]


def lint(directory: Path) -> subprocess.CompletedProcess[str]:
    """Judges the package `ratchet` that stands in `directory` by the contract of this repository."""
    program = Path(sys.executable).parent / "lint-imports"
    return subprocess.run(
        [str(program), "--no-logo", "--no-cache", "--config", str(CONTRACT)],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(directory)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def house(tmp_path):
    """A package with every room, all empty."""
    for room in ("", *ROOMS):
        package = tmp_path / "ratchet" / room
        package.mkdir(parents=True, exist_ok=True)
        (package / "__init__.py").touch()
    return tmp_path


def test_every_import_goes_down():
    judged = lint(ROOT / "src")
    assert judged.returncode == 0, judged.stdout + judged.stderr


def test_an_empty_house_keeps_the_contract(house):
    judged = lint(house)
    assert judged.returncode == 0, judged.stdout + judged.stderr


@pytest.mark.parametrize(
    ("room", "line"),
    [
        ("domain", "import ratchet.store"),
        ("gateway", "import ratchet.console"),
        ("triage", "import ratchet.execution"),
        ("desk", "import ratchet.wiring"),
        ("vault", "import ratchet.tools"),
        ("lab", "import ratchet.store"),
        ("domain", "import psycopg"),
        ("domain", "import fastapi"),
    ],
)
def test_an_import_up_sideways_or_out_is_refused(house, room, line):
    (house / "ratchet" / room / "__init__.py").write_text(line + "\n", encoding="utf-8")
    assert lint(house).returncode == 1


def test_a_room_on_no_floor_is_refused(house):
    (house / "ratchet" / "attic.py").touch()
    judged = lint(house)
    assert judged.returncode == 1
    assert "attic" in judged.stdout


def test_a_ring_inside_a_room_is_refused(house):
    (house / "ratchet" / "desk" / "a.py").write_text("import ratchet.desk.b\n", encoding="utf-8")
    (house / "ratchet" / "desk" / "b.py").write_text("import ratchet.desk.a\n", encoding="utf-8")
    assert lint(house).returncode == 1


def test_every_hand_that_exists_is_forbidden_to_the_workshops():
    contracts = tomllib.loads(CONTRACT.read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    forbidden = next(contract["forbidden_modules"] for contract in contracts if contract["id"] == "hands")
    standing = {f"ratchet.{room}" for room in HANDS if list((ROOT / "src/ratchet").glob(f"{room}*/*.py"))}
    assert standing <= set(forbidden)
