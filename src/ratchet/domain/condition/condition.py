"""A condition as the rest of the house sees it: parse, check the names, evaluate, explain."""

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from ratchet.domain.condition.errors import ConditionError
from ratchet.domain.condition.evaluate import look
from ratchet.domain.condition.grammar import parse
from ratchet.domain.condition.names import Declared, free_paths, undeclared
from ratchet.domain.condition.nodes import Expression
from ratchet.domain.condition.operations import truth
from ratchet.domain.condition.shape import refuse_bad_shape
from ratchet.domain.condition.trace import Trace, explain
from ratchet.domain.condition.values import Json, Scope, Unknown, as_json, weight

DEFAULT_BUDGET = 20_000


@dataclass(frozen=True)
class Verdict:
    """The answer: true, false, or None for unknown, and then `reason` says what was missing ("" when known)."""

    value: bool | None
    trace: Trace
    reason: str


@dataclass(frozen=True)
class Condition:
    """A condition that was read and found well formed; equal when the texts are."""

    text: str

    def __post_init__(self) -> None:
        refuse_bad_shape(self._root)

    @staticmethod
    @lru_cache(maxsize=4096)
    def parse(text: str) -> "Condition":
        """The condition in a text, which is read once. Raises ConditionError with a column and a remedy."""
        return Condition(text)

    @cached_property
    def _root(self) -> Expression:
        return parse(self.text)

    @cached_property
    def paths(self) -> frozenset[tuple[str, ...]]:
        """What is read below free names, the name first, as far as the keys are written out."""
        return frozenset(free_paths(self._root))

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset(path[0] for path in self.paths)

    def check(self, declared: Declared) -> list[ConditionError]:
        """Names that are not declared, and columns that a declared set of columns does not hold; empty when sound.

        A set of columns declares a probe with rows: below its name stand only `rows`, `first`, `rows_data`, `answer`,
        `available` and `age_s`. None declares a name whose inside is not known.
        """
        return undeclared(self._root, declared)

    def evaluate(self, scope: Scope, budget: int = DEFAULT_BUDGET) -> Verdict:
        """Never raises; whatever cannot be told, an exhausted budget included, is None with a reason."""
        seen = look(self._root, self.text, scope, budget)
        answer = truth(seen.value, "the condition")
        if isinstance(answer, Unknown):
            return Verdict(None, explain(replace(seen, value=answer), self.text), answer.reason)
        return Verdict(answer, explain(seen, self.text), "")

    def answer(self, scope: Scope, budget: int = DEFAULT_BUDGET) -> bool | None:
        """The value of `evaluate` without the explanation, for whoever asks about thousands of records."""
        answer = truth(look(self._root, self.text, scope, budget).value, "the condition")
        return None if isinstance(answer, Unknown) else answer

    def value(self, scope: Scope, budget: int = DEFAULT_BUDGET) -> Json | Unknown:
        """The value of an expression that is not a question, such as `o.pid`; never raises."""
        seen = look(self._root, self.text, scope, budget)
        if weight(seen.value, budget) > budget:
            return Unknown("the value is too large")
        return as_json(seen.value, "the value") if not isinstance(seen.value, Unknown) else seen.value
