"""One change between two texts of a playbook: where it stands, its kind, and both sides as a person reads them."""

import json
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
_EMPTY: tuple[Any, ...] = (None, "", [], {})


class Change(Noun):
    """One field that differs, both sides whole. `before` and `after` are empty where a side has nothing."""

    place: str
    kind: Kind
    says: str
    before: str = ""
    after: str = ""
    part: bool = False
    """Whether it is one field of something that is new or gone as a whole, which the change before it names."""

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
        old, new = both(before, after)
        yield Change(place=place, kind=how[0], says=how[1], before=old, after=new)


def listed(place: str, before: Sequence[Any], after: Sequence[Any], how: tuple[Kind, str]) -> Iterator[Change]:
    """A change for each item that is gone, new, or stands where another one stood."""
    kind, word = how
    for tag, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        for was, now in zip_longest(before[a:b], after[c:d]):
            old, new = both(was, now)
            says = word if old and new else f"{word} gone" if old else f"new {word}"
            yield Change(place=place, kind=kind, says=says, before=old, after=new)


def laid_out(place: str, rule: BaseModel, kind: Kind, *, gone: bool = False, aside: frozenset[str] = frozenset()
) -> Iterator[Change]:  # fmt: skip
    """Every field of something that stands on one side only, what it takes by default included."""
    for name, value in _body(rule).items():
        said = shown(value)
        if said and name not in aside:
            sides = {"before": said} if gone else {"after": said}
            yield Change(place=f"{place}.{name}", kind=kind, says="gone" if gone else "new", part=True, **sides)


def both(before: Any, after: Any) -> tuple[str, str]:
    """Two values that differ, so that a person sees that they do: where they would look the same, as JSON with every
    character outside ASCII by its number."""
    old, new = shown(before), shown(after)
    if not _look_alike(old, new):
        return old, new
    return "" if before is None else _exact(before), "" if after is None else _exact(after)


def shown(value: Any) -> str:
    """A value as one line, whole. What is empty is left out of a mapping; defaults are not."""
    match value:
        case None:
            return ""
        case BaseModel():
            return shown(_body(value))
        case dict():
            fields = cast(dict[str, Any], value)
            return ", ".join(f"{key}={shown(item)}" for key, item in fields.items() if item not in _EMPTY)
        case list() | tuple():
            return "; ".join(shown(item) for item in cast(list[Any], value))
        case bool():
            return "yes" if value else "no"
        case _:
            return " ".join(str(value).split())


def _body(value: BaseModel) -> dict[str, Any]:
    return value.model_dump(mode="json", by_alias=True)


def _exact(value: Any) -> str:
    plain = _body(value) if isinstance(value, BaseModel) else value
    return json.dumps(plain, default=lambda item: _body(item) if isinstance(item, BaseModel) else str(item))


def _look_alike(old: str, new: str) -> bool:
    """Whether a reader could take one for the other: nothing differs but what nobody sees, or letters of another
    script where ASCII stood."""
    seen, now = ("".join(one for one in side if one.isprintable()) for side in (old, new))
    if len(seen) != len(now):
        return False
    return all(a == b or a.isascii() != b.isascii() for a, b in zip(seen, now, strict=True))
