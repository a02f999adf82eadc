"""What an incident is counted as."""

from datetime import UTC, datetime

import pytest

from ratchet.domain.case import Case

UNKNOWN_AT_FIRST = {"outcome": "unknown_cause", "acts": 1, "acted_on": "role_nologin"}


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ({}, "alert Slow"),
        ({"outcome": "unknown_cause", "claimed": "lock_queue"}, "alert Slow"),
        ({"outcome": "cause", "claimed": "lock_queue"}, "lock_queue"),
        (UNKNOWN_AT_FIRST, "alert Slow"),
        ({**UNKNOWN_AT_FIRST, "verified": True}, "role_nologin"),
        ({**UNKNOWN_AT_FIRST, "verified": True, "confirmed": "hba_rejection"}, "hba_rejection"),
    ],
)
def test_an_incident_is_of_the_type_that_is_best_borne_out(told: dict[str, object], kind: str) -> None:
    fields = {
        "id": "01", "number": 1, "origin": "production", "alert": "Slow", "service": "shop", "target": "shop-db",
        "fired_at": datetime(2026, 11, 21, tzinfo=UTC), **told,
    }  # fmt: skip
    assert Case.model_validate(fields).kind == kind
