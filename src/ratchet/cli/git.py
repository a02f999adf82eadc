"""Which commit a file stands in, when Git knows and the file is as it was committed.

Only plumbing that reads objects is asked: a repository's own settings can name programs that `git status` or
`git log` would run, and a directory from elsewhere may bring such settings along.
"""

import hashlib
import shutil
import subprocess
from pathlib import Path

_SECONDS = 10


def commit_of(file: Path) -> str:
    """The commit that last changed the file; empty without Git, outside a repository, or when it was changed since."""
    git = shutil.which("git")
    blob = _asked(git, file, "rev-parse", "--verify", "--quiet", f"HEAD:./{file.name}") if git else ""
    if git is None or not blob or blob != _blob(file, len(blob)):
        return ""
    return _asked(git, file, "rev-list", "-1", "HEAD", "--", file.name)


def _blob(file: Path, length: int) -> str:
    """The name that Git gives to these bytes, in a repository whose names are of that length."""
    content = file.read_bytes()
    digest = hashlib.sha256 if length == 64 else hashlib.sha1
    return digest(b"blob %d\0" % len(content) + content).hexdigest()


def _asked(git: str, file: Path, *words: str) -> str:
    """The answer of one reading command about the file; empty when there is none."""
    line = [git, "-C", str(file.parent), "--no-optional-locks", "-c", "core.fsmonitor=false", *words]
    try:
        done = subprocess.run(line, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
