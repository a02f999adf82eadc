"""Decides which system account a lab server runs as, where its files may lie, and runs programs as that account."""

import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ratchet.lab.binaries import Binaries

# A UNIX socket address holds about 100 bytes; the socket's own name and a margin come on top of the directory.
LONGEST_HOME = 70
OPEN_PLACES = ("/tmp", "/var/tmp")  # noqa: S108 - mkdtemp makes a private directory there


class LabProgramFailed(RuntimeError):
    """A server program ended badly; the message carries the end of what it said."""


@dataclass(frozen=True)
class Account:
    """The account servers run as. `switch` is true when we are root and must step down to it."""

    name: str
    uid: int
    gid: int
    switch: bool

    def own(self, path: Path) -> None:
        if self.switch:
            os.chown(path, self.uid, self.gid)

    def may_enter(self, directory: Path) -> bool:
        """Whether this account may walk the whole way down to `directory`."""
        if not self.switch:
            return True
        chain = [directory.resolve(), *directory.resolve().parents]
        return all(self._may_execute(each) for each in chain)

    def _may_execute(self, path: Path) -> bool:
        facts = path.stat()
        if facts.st_uid == self.uid:
            return bool(facts.st_mode & stat.S_IXUSR)
        if facts.st_gid == self.gid:
            return bool(facts.st_mode & stat.S_IXGRP)
        return bool(facts.st_mode & stat.S_IXOTH)

    def run(self, argv: Sequence[str], home: Path, env: Mapping[str, str] | None = None) -> str:
        """Runs one program in `home` with a bare environment; returns its output or raises with the end of it."""
        said = home / "program.out"
        # A file, not a pipe: pg_ctl leaves a server behind that would keep a pipe open for ever.
        with said.open("w+", encoding="utf-8", errors="replace") as out:
            done = subprocess.run(
                list(argv),
                cwd=home,
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC", **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                timeout=120,
                check=False,
                user=self.uid if self.switch else None,
                group=self.gid if self.switch else None,
                extra_groups=[] if self.switch else None,
            )
            out.seek(0)
            text = out.read()
        if done.returncode != 0:
            raise LabProgramFailed(f"{Path(argv[0]).name} ended with {done.returncode}: {text[-1500:].strip()}")
        return text


def server_account() -> Account:
    """Ourselves, or when we are root `postgres` if it exists, else `nobody`: a server refuses to run as root."""
    if os.geteuid() != 0:
        return Account(pwd.getpwuid(os.geteuid()).pw_name, os.geteuid(), os.getegid(), switch=False)
    entries = {entry.pw_name: entry for entry in pwd.getpwall()}
    chosen = entries.get("postgres") or entries.get("nobody")
    if chosen is None:
        raise LabProgramFailed("We are root and neither the account postgres nor nobody exists. Run as another user.")
    return Account(chosen.pw_name, chosen.pw_uid, chosen.pw_gid, switch=True)


def make_home(root: Path, account: Account) -> Path:
    """A directory the account owns: below `root` where it can walk there, else a temporary one; no parent is opened."""
    root.mkdir(parents=True, exist_ok=True)
    inside = root.resolve() / "server"
    if account.may_enter(root) and len(str(inside)) <= LONGEST_HOME:
        inside.mkdir(mode=0o700)
        home = inside
    else:
        places = [Path(tempfile.gettempdir()), *(Path(each) for each in OPEN_PLACES)]
        place = next((each for each in places if each.is_dir() and account.may_enter(each)), places[-1])
        home = Path(tempfile.mkdtemp(prefix="ratchet-", dir=place))
    account.own(home)
    return home


def reachable_binaries(binaries: Binaries, account: Account, home: Path) -> Binaries:
    """`binaries` itself where the account can run them, else a copy of all that they need below `home`."""
    if account.may_enter(binaries.bin_dir):
        # Its true place: the way that was given may lead through a link in a closed directory.
        return replace(binaries, bin_dir=binaries.bin_dir.resolve())
    prefix, package = binaries.bin_dir.parent, binaries.bin_dir.parent.parent
    programs = home / "programs"
    copied = programs / package.name / prefix.name
    for part in ("bin", "lib", "share"):
        if (prefix / part).is_dir():
            shutil.copytree(prefix / part, copied / part, symlinks=True)
    # A wheel keeps the libraries that its programs load beside its package, found by their relative place.
    for libraries in package.parent.glob(f"{package.name}.libs"):
        shutil.copytree(libraries, programs / libraries.name, symlinks=True)
    for directory in [programs, *(each for each in programs.rglob("*") if each.is_dir())]:
        directory.chmod(0o755)
    return replace(binaries, bin_dir=copied / "bin")
