"""Refusals: few, coded, and each says what to do next."""

from collections.abc import Sequence
from enum import StrEnum

from ratchet.domain.noun import Noun


class Code(StrEnum):
    """Why something was refused; doors translate it once (HTTP status, exit code)."""

    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    GONE = "gone"
    UNAVAILABLE = "unavailable"
    FAILED = "failed"


class Mistake(Noun):
    """One thing wrong in a file or a body: where it stands, what it is, how to mend it."""

    where: str
    line: int | None = None
    code: str = "PB001"
    message: str
    remedy: str

    def __str__(self) -> str:
        place = f"{self.where}:{self.line}" if self.line is not None else self.where
        return f"{place}: {self.code} {self.message} -> {self.remedy}"


class Refusal(Exception):
    """Ratchet says no: `code` for programs, `message` for people, `remedy` for what to do next."""

    def __init__(self, code: Code, message: str, remedy: str, mistakes: Sequence[Mistake] = ()) -> None:
        super().__init__(f"{message} {remedy}".strip())
        self.code = code
        self.message = message
        self.remedy = remedy
        self.mistakes = tuple(mistakes)


class Outdated(Refusal):
    """What was read is no longer what stands there; a conflict, told apart for those who said what they had read."""

    def __init__(self, message: str, remedy: str = "Read it again, and make the change in what it says now.") -> None:
        super().__init__(Code.CONFLICT, message, remedy)


def invalid(message: str, remedy: str, mistakes: Sequence[Mistake] = ()) -> Refusal:
    """The request or file does not say something Ratchet understands."""
    return Refusal(Code.INVALID, message, remedy, mistakes)


def not_found(noun: str, name: str, remedy: str) -> Refusal:
    """No such thing under that name."""
    return Refusal(Code.NOT_FOUND, f"There is no {noun} named {name!r}.", remedy)


def conflict(message: str, remedy: str) -> Refusal:
    """The thing changed since it was read, or a rule of its life forbids this now."""
    return Refusal(Code.CONFLICT, message, remedy)


def forbidden(message: str, remedy: str) -> Refusal:
    """This person or service may not do that."""
    return Refusal(Code.FORBIDDEN, message, remedy)
