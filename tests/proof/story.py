"""One whole incident in a process of its own, for faults put under a process: `python -m tests.proof.story DIR`."""

import os
import sys
from pathlib import Path

from ratchet.domain.errors import Refusal
from ratchet.domain.gate import Grant
from ratchet.domain.plan import Act
from tests.proof.life import Life


def main(root: Path) -> None:
    """Play it over `root`; every send and effect is told on a line of `root/told` at once."""
    told = os.open(root / "told", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    life = Life(root)

    def sent(act: Act, grant: Grant) -> None:
        os.write(told, f"send {grant.op_id}\n".encode())

    life.world.on_send = sent
    for _ in range(3):
        try:
            life.story("A")
        except Refusal as no:
            os.write(told, f"refused {no.code.value}\n".encode())
    os.write(told, f"effects {len(life.world.ledger)}\n".encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
