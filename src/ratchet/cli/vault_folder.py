"""Playbook files in a directory: read within bounds, written under names that cannot lead anywhere else."""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from ratchet.domain.errors import Code, Refusal, invalid

LARGEST = 256 * 1024
SUFFIXES = (".playbook.yaml", ".yaml", ".yml", ".json", ".md", ".markdown")
_NAME = re.compile(r"pbs_[a-z0-9_]{1,60}(@\d+\.\d+)?\.playbook\.yaml|SHA256SUMS")


def each_text(place: Path, *suffixes: str) -> dict[Path, str | Refusal]:
    """The file, or the files of a directory by name, each with its text or why it is not read: one bad file keeps no
    other out. Raises Refusal(INVALID) for a file that was named itself and cannot be read."""
    if not place.is_dir():
        return {place: _text(place)}
    wanted = suffixes or SUFFIXES
    root = place.resolve()
    found = sorted(path for path in place.iterdir() if path.name.endswith(wanted))
    return {path: _within(path, root) for path in found if path.is_symlink() or path.is_file()}


def _within(path: Path, root: Path) -> str | Refusal:
    """The text of a file that lies in `root` itself, or why it is not read."""
    try:
        if path.resolve().parent != root:
            raise invalid(f"{path} leads out of {root}.", "Put the file itself there, not a link to another place.")
        if not path.is_file():
            raise invalid(f"{path} leads to no file.", "Put the file itself there, not a link.")
        return _text(path)
    except Refusal as no:
        return no
    except (OSError, RuntimeError):
        return invalid(f"{path} leads nowhere.", "Put the file itself there, not a link.")


def write_new(directory: Path, texts: Mapping[str, str]) -> None:
    """Write the files; a name that a server made up is refused before anything is written."""
    strange = next((name for name in texts if not _NAME.fullmatch(name)), None)
    if strange is not None:
        raise invalid(f"{strange[:80]!r} is no name for a playbook file.", "Ask whoever runs that gateway.")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            path = directory / name
            if path.is_symlink():
                raise invalid(f"{path} is a link; nothing is written through it.", "Remove it, or name another place.")
            path.write_bytes(text.encode())
    except OSError as error:
        raise invalid(f"{directory} cannot be written: {error.strerror}.", "Name another directory.") from None


def sums(texts: Mapping[str, str]) -> str:
    """The digests of the files, as `sha256sum -c` reads them; `check_digest` held each against what the vault keeps."""
    return "".join(f"{hashlib.sha256(text.encode()).hexdigest()}  {name}\n" for name, text in sorted(texts.items()))


def check_digest(text: str, digest: str) -> None:
    """Raise Refusal(FAILED) unless the text is the one that the vault keeps under `digest` (`sha256:` and hex)."""
    if f"sha256:{hashlib.sha256(text.encode()).hexdigest()}" != digest:
        message = f"What was handed out is not the text of {digest[:19]}, under which it is kept."
        raise Refusal(Code.FAILED, message, "Do not use it. Check the event chain: `ratchet audit verify`.")


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST:
            raise invalid(f"{path} is larger than {LARGEST // 1024} KB.", "A playbook is a page; link to the rest.")
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise invalid(f"{path} is not text in UTF-8.", "Write it in UTF-8.") from None
    except OSError as error:
        raise invalid(f"{path} cannot be read: {error.strerror}.", "Name a file or directory that exists.") from None
