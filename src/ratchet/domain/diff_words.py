"""One change between two texts of a playbook: where it stands, its kind, and both sides as a person reads them."""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any, Literal, TypeAlias, cast

from pydantic import BaseModel

from ratchet.domain.noun import Noun

Kind: TypeAlias = Literal[
    "effect_raised", "new_mutation", "wider", "weaker", "cause", "condition", "probe", "narrower", "words"
]
WIDENING: frozenset[Kind] = frozenset({"effect_raised", "new_mutation", "wider", "weaker"})
_LONGEST = 300


class Change(Noun):
    """One field that differs. `before` and `after` are empty where there is nothing to show on that side."""

    place: str
    kind: Kind
    says: str
    before: str = ""
    after: str = ""

    @property
    def widens(self) -> bool:
        """Whether it lets the playbook do more, or holds it less."""
        return self.kind in WIDENING

    def __str__(self) -> str:
        sides = f": {self.before or '(nothing)'} -> {self.after or '(nothing)'}" if self.before or self.after else ""
        return f"{self.kind.replace('_', ' ')}: {self.place}, {self.says}{sides}"


def changed(place: str, before: Any, after: Any, how: tuple[Kind, str]) -> Iterator[Change]:
    """The change when both sides differ; `how` is its kind and what the field is."""
    if before != after:
        yield Change(place=place, kind=how[0], says=how[1], before=shown(before), after=shown(after))


def listed(place: str, before: Sequence[Any], after: Sequence[Any], how: tuple[Kind, str]) -> Iterator[Change]:
    """A change for each item that is gone, new, or stands where another one stood."""
    kind, word = how
    for tag, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        for old, new in zip_longest(map(shown, before[a:b]), map(shown, after[c:d]), fillvalue=""):
            says = word if old and new else f"{word} gone" if old else f"new {word}"
            yield Change(place=place, kind=kind, says=says, before=old, after=new)


def shown(value: Any) -> str:
    """A value as one line; what a reader needs more of stands in the text itself."""
    match value:
        case None:
            said = ""
        case BaseModel():
            body = value.model_dump(mode="json", by_alias=True, exclude_defaults=True)
            said = ", ".join(f"{key}={shown(item)}" for key, item in body.items())
        case dict():
            said = ", ".join(f"{key}={shown(item)}" for key, item in cast(dict[str, Any], value).items())
        case list() | tuple():
            said = "; ".join(shown(item) for item in cast(list[Any], value))
        case bool():
            said = "yes" if value else "no"
        case _:
            said = " ".join(str(value).split())
    return said if len(said) <= _LONGEST else said[: _LONGEST - 3] + "..."
