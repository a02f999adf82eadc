"""The anchor: the chain's head in a second file, so that a cut tail or a restored old copy is noticed."""

import json
import threading
from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from ratchet.domain.audit import Head
from ratchet.domain.errors import Code, Refusal
from ratchet.security.private_file import read_private_bytes, replace_private

PATIENCE_S = 2.0
"""How long a device may take to make the anchor durable; a send does not wait longer, it is given up."""


class Anchor:
    """The second file. It may be a symbolic link to another device."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writing = threading.Lock()

    def exists(self) -> bool:
        """Whether it was ever written."""
        return self.path.exists()

    def write(self, head: Callable[[], Head]) -> None:
        """Make the present head durable in one step; heads are read and written in one order.

        Raises Refusal(UNAVAILABLE) when the file system does not take it, or hangs. What hangs is written by a thread
        of its own: no call can be taken back from a device that does not answer, but nobody has to wait for it.
        """
        refusals: list[Refusal] = []
        done = threading.Event()

        def work() -> None:
            try:
                with self._writing:
                    replace_private(self.path, json.dumps(head().model_dump()).encode("ascii"))
            except Refusal as refusal:
                refusals.append(refusal)
            else:
                done.set()

        writer = threading.Thread(target=work, name="ratchet-anchor", daemon=True)
        writer.start()
        writer.join(PATIENCE_S)
        if refusals:
            raise refusals[0]
        if not done.is_set():
            raise Refusal(
                Code.UNAVAILABLE,
                f"{self.path} was not durable after {PATIENCE_S:g} s: its device hangs.",
                "Look at the device that holds the anchor; nothing is sent meanwhile.",
            )

    def read(self) -> Head:
        """The head as last anchored; raises Refusal(FAILED) when the file is damaged."""
        try:
            return Head.model_validate_json(read_private_bytes(self.path))
        except ValidationError:
            raise Refusal(
                Code.FAILED,
                f"{self.path} is damaged.",
                "Put the whole state directory back from one backup, the anchor included.",
            ) from None
