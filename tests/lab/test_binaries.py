"""Which PostgreSQL programs the lab takes."""

import os
import sys
from pathlib import Path

import pytest

from ratchet.lab import binaries
from ratchet.lab.binaries import BinariesNotFound, find_binaries


def fake_programs(directory: Path, version: str) -> Path:
    directory.mkdir(parents=True)
    for name in binaries.NEEDED:
        program = directory / name
        program.write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version} (Debian)'\n")
        program.chmod(0o755)
    return directory


def test_the_named_directory_comes_first(tmp_path: Path) -> None:
    named = fake_programs(tmp_path / "bin", "99.7")
    found = find_binaries({**os.environ, "PG_BIN": str(named)})
    assert (found.origin, found.bin_dir, found.version, found.contrib) == ("PG_BIN", named, (99, 7), False)


def test_a_wrong_named_directory_is_refused_and_not_passed_over(tmp_path: Path) -> None:
    with pytest.raises(BinariesNotFound, match="PG_BIN="):
        find_binaries({"PG_BIN": str(tmp_path)})


def test_the_newest_installed_server_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in ("9.6", "15.4", "14.12"):
        fake_programs(tmp_path / version / "bin", version)
    monkeypatch.setattr(binaries, "INSTALLED_PLACES", (str(tmp_path),))
    assert find_binaries({}).version == (15, 4)


def test_a_server_on_the_path_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "INSTALLED_PLACES", ())
    on_path = fake_programs(tmp_path / "bin", "16.1")
    assert find_binaries({"PATH": str(on_path)}).origin == "installed"


def test_the_wheel_is_the_last_resort_and_its_own_code_never_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "INSTALLED_PLACES", ())
    found = find_binaries({})
    assert found.origin == "wheel"
    assert found == find_binaries(os.environ, prefer="wheel")
    assert binaries.WHEEL_PACKAGE not in sys.modules


def test_nothing_found_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "INSTALLED_PLACES", ())
    monkeypatch.setattr(binaries, "WHEEL_PACKAGE", "no_such_wheel")
    with pytest.raises(BinariesNotFound, match="pip install"):
        find_binaries({})
