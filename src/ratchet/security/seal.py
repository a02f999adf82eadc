"""The house's own signature (Ed25519): under seals of the chain, and under what leaves the house to be checked."""

import base64
import binascii
import hashlib
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ratchet.domain.errors import Code, Refusal, invalid
from ratchet.security.private_file import read_private_bytes, write_private

SEED_BYTES = 32
_SCHEME = "ed25519:"


class Signer:
    """Signs for the house; the private half is in no repr."""

    __slots__ = ("_key", "public")

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = public_text(self._key.public_key().public_bytes_raw())
        """`ed25519:` and the public key in base64."""

    def __repr__(self) -> str:
        return f"Signer({self.public})"

    def sign(self, message: bytes) -> bytes:
        """64 bytes; the same message has the same signature."""
        return self._key.sign(message)


def public_text(public: bytes) -> str:
    """A public key of 32 bytes as text."""
    return _SCHEME + base64.b64encode(public).decode("ascii")


def public_bytes(text: str) -> bytes:
    """The 32 bytes of a public key's text; raises Refusal(INVALID)."""
    scheme, _, body = text.strip().partition(":")
    try:
        public = base64.b64decode(body, validate=True) if scheme == _SCHEME[:-1] else b""
    except (binascii.Error, ValueError):
        public = b""
    if len(public) != SEED_BYTES:
        raise invalid("This is not a public key of a house.", "Print it there with `ratchet audit key`.")
    return public


def fingerprint(public: str) -> str:
    """A public key in a form that people compare: `SHA256:` and 43 characters."""
    digest = hashlib.sha256(public_bytes(public)).digest()
    return "SHA256:" + base64.b64encode(digest).decode("ascii").rstrip("=")


def signed_by(public: str, message: bytes, signature: bytes) -> bool:
    """Whether the signature under a message was made with the private half of this key."""
    try:
        Ed25519PublicKey.from_public_bytes(public_bytes(public)).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def make_signer(path: Path, random: Callable[[int], bytes]) -> Signer:
    """Make the key at first start (mode 0600), or read the one that another process made in the same moment."""
    try:
        write_private(path, random(SEED_BYTES))
    except FileExistsError:
        pass
    return read_signer(path)


def read_signer(path: Path) -> Signer:
    """The signer in a file; raises Refusal when it is missing, open to others or not 32 bytes long."""
    seed = read_private_bytes(path)
    if len(seed) != SEED_BYTES:
        raise Refusal(
            Code.FAILED,
            f"{path} is not a signing key: it has {len(seed)} bytes, not {SEED_BYTES}.",
            "Put the key back from the backup that belongs to this database.",
        )
    return Signer(seed)
