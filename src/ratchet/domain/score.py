"""The score of a drill: named parts, each true, false or not applicable; what must be true, and what only counts."""

from pydantic import Field

from ratchet.domain.noun import Noun


class Part(Noun):
    """One thing that was graded. `passed` is None only where the part does not apply; what is not known is false."""

    name: str = Field(min_length=1)
    """`cause`, `object`, `evidence`, `action`, `recovery`, `innocents`, `undo`, `end`, `draft` or
    `judge`; `end` only where the incident came to none in its time."""
    passed: bool | None
    weight: float = Field(ge=0)
    must: bool = True
    """Without it nothing passes; a part that only counts lowers the percentage."""
    because: str


class Score(Noun):
    """All parts of one drill, in the order in which they were graded."""

    parts: tuple[Part, ...] = ()

    @property
    def percentage(self) -> float:
        """0 to 100: the weight of what is true over the weight of what applies; 0 where nothing applies."""
        weight = sum(part.weight for part in self.parts if part.passed is not None)
        good = sum(part.weight for part in self.parts if part.passed)
        return round(100 * good / weight, 1) if weight else 0.0

    def part(self, name: str) -> Part | None:
        """The part of that name, if it was graded."""
        return next((part for part in self.parts if part.name == name), None)

    def holds(self, name: str) -> bool | None:
        """What a part says; None where it was not graded or does not apply."""
        found = self.part(name)
        return found.passed if found is not None else None

    @property
    def broken(self) -> tuple[Part, ...]:
        """The parts that must be true and are not."""
        return tuple(part for part in self.parts if part.must and part.passed is False)

    @property
    def sound(self) -> bool:
        """Whether something applies and every part that must be true is; a pass takes a proof besides."""
        return any(part.must and part.passed for part in self.parts) and not self.broken
