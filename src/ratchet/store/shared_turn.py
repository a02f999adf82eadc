"""Group commit: who gets the turn writes, in one transaction, what everybody brought who waits for it."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from ratchet.domain.errors import Code, Refusal

C = TypeVar("C")
R = TypeVar("R")


@dataclass
class _Waiting(Generic[C, R]):
    """One caller, and its answer once there is one."""

    call: C
    tried: bool = False
    """Whether it was part of a transaction; without an answer that one failed, and it goes alone."""
    answer: tuple[R, ...] = ()
    refused: Refusal | None = None


class SharedTurn(Generic[C, R]):
    """`write` makes all calls durable in one transaction, or none, and gives a result for each, in their order."""

    def __init__(self, write: Callable[[Sequence[C]], list[R]]) -> None:
        self._write = write
        self._waiting: list[_Waiting[C, R]] = []
        self._list = threading.Lock()
        self._turn = threading.Lock()

    def take(self, call: C) -> R:
        """The call's own result, once it is durable; raises what `write` raises for this call."""
        mine = _Waiting[C, R](call)
        with self._list:
            self._waiting.append(mine)
        with self._turn:
            if not mine.answer and mine.refused is None:
                self._lead(mine)
        if mine.refused is not None:
            raise Refusal(mine.refused.code, mine.refused.message, mine.refused.remedy)
        return mine.answer[0]

    def _lead(self, mine: _Waiting[C, R]) -> None:
        group = [mine] if mine.tried else self._everybody()
        for each in group:
            each.tried = True
        try:
            for each, result in zip(group, self._write([each.call for each in group]), strict=True):
                each.answer = (result,)
        except Refusal as refusal:
            if len(group) == 1:
                raise
            if refusal.code is Code.UNAVAILABLE:
                for each in group:
                    each.refused = refusal
            else:
                self._lead(mine)

    def _everybody(self) -> list[_Waiting[C, R]]:
        with self._list:
            group, self._waiting = self._waiting, []
        return group
