"""What the workshops and the desk need from the outside world; wiring fills these in."""

from ratchet.domain.ports.clock import Clock
from ratchet.domain.ports.lists import (
    ChainReport,
    Correlate,
    DecisionRow,
    DecisionState,
    Due,
    Joinable,
    Joining,
    Opening,
    Page,
    Placed,
    Tally,
)
from ratchet.domain.ports.lives import Lives
from ratchet.domain.ports.shelf import Files, Shelf
from ratchet.domain.ports.store import Store
from ratchet.domain.ports.toolbox import Missing, Sent, Took, Toolbox

__all__ = [
    "ChainReport",
    "Clock",
    "Correlate",
    "DecisionRow",
    "DecisionState",
    "Due",
    "Files",
    "Joinable",
    "Joining",
    "Lives",
    "Missing",
    "Opening",
    "Page",
    "Placed",
    "Sent",
    "Shelf",
    "Store",
    "Tally",
    "Took",
    "Toolbox",
]
