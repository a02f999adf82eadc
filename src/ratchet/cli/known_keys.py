"""The public keys of houses as they were first seen, so that a bundle signed by another key is noticed."""

from pathlib import Path

from ratchet.domain.audit import Head
from ratchet.domain.errors import Refusal
from ratchet.security.private_file import read_private_bytes, replace_private
from ratchet.security.seal import public_bytes, public_text, read_signer

NAME = "known_keys"


def expected(home: Path, chain: str, pinned: Path | None) -> str | None:
    """The key that must have signed for this chain: the one in a file, our own, or the one that was seen first."""
    if pinned is not None:
        return public_text(public_bytes(pinned.read_text(encoding="utf-8-sig", errors="replace")))
    if own_chain(home) == chain and (home / "seal").exists():
        return read_signer(home / "seal").public
    return _seen(home).get(chain)


def remember(home: Path, chain: str, public: str) -> bool:
    """Keep a key that was met for the first time; false when this home cannot keep anything."""
    seen = {**_seen(home), chain: public}
    lines = "".join(f"{name} {key}\n" for name, key in sorted(seen.items()))
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_private(home / NAME, lines.encode())
    except (OSError, Refusal):
        return False
    return True


def own_chain(home: Path) -> str | None:
    """The name of this home's own chain, as its anchor says; None without one."""
    try:
        return Head.model_validate_json(read_private_bytes(home / "anchor")).chain
    except (Refusal, ValueError):
        return None


def _seen(home: Path) -> dict[str, str]:
    try:
        lines = (home / NAME).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    pairs = (line.split(" ") for line in lines)
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}
