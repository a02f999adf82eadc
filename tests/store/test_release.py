"""A conflict group remembers when it was released: what another incident read before that does not count."""

from datetime import timedelta

from sqlalchemy import insert, select

from ratchet.domain import timeline as e
from ratchet.store import tables as t
from ratchet.store.encoding import moment, stamp
from ratchet.store.store import EventStore
from tests.store.conftest import Hands
from tests.store.walks import START, conclusion, intended, look, opened, packet


def test_the_end_of_an_operation_is_kept_and_never_shortens_a_cooldown(store: EventStore, hands: Hands) -> None:
    for number, cool in enumerate((None, START - timedelta(hours=1), START + timedelta(hours=1)), start=1):
        seen = store.open(f"i{number}", opened, "ratchet")
        looked = e.Looked(candidates=("v1",), evidence=(look().id,), answers={}, elapsed_ms=1)
        asked = [looked, e.Concluded(conclusion=conclusion()), e.Asked(packet=packet(seen, START))]
        seen = store.commit(seen, *asked, by="ratchet", evidence=[look()], wake_at=START)
        event = intended(seen, START)
        seen = store.commit(seen, event, by="ratchet", wake_at=START)
        row = {
            "tenant": "main", "conflict_group": f"group {number}", "incident": seen.id, "op_id": event.grant.op_id,
            "fence": 1, "held": 1, "cool_until": None if cool is None else stamp(cool),
        }  # fmt: skip
        with store._journal.writing("ratchet") as ledger:
            ledger.connection.execute(insert(t.locks), row)
        hands.tick(5)
        ended = hands.clock()
        acted = e.Acted(
            op_id=event.grant.op_id, outcome="done", started_at=START, ended_at=ended, return_code="", touched=()
        )
        store.commit(seen, acted, by="ratchet", wake_at=ended)
        with store._journal.writing("ratchet") as ledger:
            query = select(t.locks.c.held, t.locks.c.cool_until).where(t.locks.c.incident == seen.id)
            held, until = ledger.connection.execute(query).one()
        assert held == 0
        kept = moment(until)
        assert kept == cool if cool is not None and cool > ended else ended <= kept <= hands.clock()
