"""Tokens of persons and services: made, listed, revoked."""

from collections.abc import Callable
from datetime import timedelta

from ratchet.desk.views import NewToken, TokenView
from ratchet.domain.errors import invalid
from ratchet.domain.house import Role, Token
from ratchet.domain.ports import Clock, Store
from ratchet.security.tokens import RANDOM_BYTES, hash_token, token_text

LONGEST_NAME = 63


class Tokens:
    """The text of a token leaves this room once."""

    def __init__(self, store: Store, clock: Clock, random: Callable[[int], bytes], new_id: Callable[[], str]) -> None:
        self._store = store
        self._clock = clock
        self._random = random
        self._new_id = new_id

    def make(self, name: str, role: Role, by: str, life: tuple[bool, int | None]) -> NewToken:
        """A new token for a person or service; `life` = (is a person, days until it expires or None)."""
        person, days = life
        if not name or len(name) > LONGEST_NAME or not all(map(_may_stand, name)):
            raise invalid(
                f"{name[:70]!r} cannot be the name of a token's holder.", "Use letters, digits and . _ - only."
            )
        if not person and role in ("approver", "admin"):
            raise invalid("A service never approves and never administers.", "Give it viewer, operator or source.")
        now = self._clock()
        text = token_text(self._random(RANDOM_BYTES))
        token = Token(
            id="tok_" + self._new_id(),
            name=name,
            person=person,
            role=role,
            hashed=hash_token(text),
            created_at=now,
            expires_at=None if days is None else now + timedelta(days=days),
        )
        self._store.put_token(token, by)
        return NewToken(token=view_of(token), text=text)

    def list(self) -> list[TokenView]:
        """All tokens, newest first."""
        return [view_of(token) for token in self._store.tokens()]

    def revoke(self, token_id: str, by: str) -> None:
        """From now on the token is not known."""
        self._store.revoke_token(token_id, by)


def holder_name(account: str) -> str:
    """The name under which the account that starts a house holds its first token."""
    plain = "".join(c if _may_stand(c) else "-" for c in account.rpartition("\\")[2])[:LONGEST_NAME]
    return plain.strip("-") or "operator"


def _may_stand(character: str) -> bool:
    return character.isascii() and (character.isalnum() or character in "._-")


def view_of(token: Token) -> TokenView:
    """A token without its hash."""
    return TokenView(**token.model_dump(exclude={"hashed"}))
