"""Tokens for Ratchet itself: their text, the hash that is kept of it, and whether one still counts."""

import base64
import hashlib
import hmac
from datetime import datetime

from ratchet.domain.errors import Code, Refusal
from ratchet.domain.house import Token
from ratchet.security.principal import Principal

PREFIX = "rtk_"
RANDOM_BYTES = 32


def token_text(random: bytes) -> str:
    """`rtk_` and 43 URL-safe characters that hold exactly 32 random bytes; raises ValueError for another length."""
    if len(random) != RANDOM_BYTES:
        raise ValueError(f"a token is made of {RANDOM_BYTES} random bytes, not {len(random)}")
    return PREFIX + base64.urlsafe_b64encode(random).rstrip(b"=").decode("ascii")


def hash_token(text: str) -> str:
    """What is stored of a token. A plain SHA-256 is enough: 256 random bits cannot be guessed back from it."""
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def matches(token: Token, text: str) -> bool:
    """Whether `text` is this token's text, compared in constant time."""
    return hmac.compare_digest(token.hashed.encode("utf-8"), hash_token(text).encode("utf-8"))


def check_token(token: Token | None, text: str, now: datetime) -> Token:
    """The token that `text` is; raises Refusal(UNAUTHENTICATED) when unknown, revoked or expired.

    An unknown and a revoked token read alike from outside: who tries tokens learns nothing from the answer.
    """
    if token is None or not matches(token, text) or token.revoked:
        raise Refusal(
            Code.UNAUTHENTICATED,
            "This token is not known or was revoked.",
            "Send `Authorization: Bearer rtk_...` with a token made by `ratchet token create`.",
        )
    if token.expires_at is not None and now >= token.expires_at:
        raise Refusal(
            Code.UNAUTHENTICATED,
            f"This token expired at {token.expires_at.isoformat(timespec='seconds')}.",
            "Make a new one: ratchet token create",
        )
    return token


def principal_of(token: Token, channel: str) -> Principal:
    """Whom a checked token stands for."""
    return Principal(kind="person" if token.person else "service", name=token.name, role=token.role, channel=channel)
