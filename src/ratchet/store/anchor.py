"""The anchor: the chain's head in a second file, so that a cut tail or a restored old copy is noticed."""

import json
import threading
from collections.abc import Callable
from pathlib import Path

from pydantic import Field, ValidationError

from ratchet.domain.errors import Code, Refusal
from ratchet.domain.noun import Noun
from ratchet.security.private_file import read_private_bytes, replace_private


class Head(Noun):
    """Where a chain ends: its name, how many events it has, and the last link in hexadecimal."""

    chain: str
    position: int = Field(ge=0)
    mac: str = Field(pattern=r"^[0-9a-f]{64}$")


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

        Raises Refusal(UNAVAILABLE) when the file system does not take it.
        """
        with self._writing:
            replace_private(self.path, json.dumps(head().model_dump()).encode("ascii"))

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
