"""Conditions: the closed, three-valued language in which playbooks ask questions of evidence."""

from ratchet.domain.condition.condition import DEFAULT_BUDGET, Condition, Verdict
from ratchet.domain.condition.errors import ConditionError
from ratchet.domain.condition.functions import FUNCTIONS
from ratchet.domain.condition.reading import read
from ratchet.domain.condition.trace import Trace
from ratchet.domain.condition.values import Datum, Json, Scope, Unknown

__all__ = [
    "DEFAULT_BUDGET",
    "FUNCTIONS",
    "Condition",
    "ConditionError",
    "Datum",
    "Json",
    "Scope",
    "Trace",
    "Unknown",
    "Verdict",
    "read",
]
