"""A timeline told in steps says what it says when it is told event by event."""

from datetime import timedelta
from functools import reduce
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ratchet.domain import timeline as e
from ratchet.domain.incident import Incident
from ratchet.domain.telling import fold, tell
from tests.store.walks import START, alert, opened

COMING = st.one_of(
    st.builds(
        lambda name, hour, status: e.Joined(alert=alert(f"f{name}", status, START + timedelta(hours=hour))),
        st.integers(0, 3), st.integers(0, 2), st.sampled_from(["firing", "resolved"]),
    ),
    st.sampled_from([e.Noted(by="user:ana", text="x"), e.Taken(by="user:ana", reason="mine")]),
)  # fmt: skip


def told(events: list[e.Event]) -> list[e.Recorded[e.Event]]:
    return [
        e.Recorded[e.Event](seq=n, at=START + timedelta(seconds=n), by="service:am", event=event)
        for n, event in enumerate([opened(1), *events], start=1)
    ]


def one_by_one(events: list[e.Recorded[e.Event]]) -> Incident:
    return reduce(Incident.apply, events, Incident(id="i1"))


@given(st.lists(COMING, max_size=25))
def test_told_in_steps_it_ends_where_it_ends_event_by_event(events: list[e.Event]) -> None:
    whole = told(events)
    assert fold("i1", whole) == one_by_one(whole)


@given(st.lists(COMING, max_size=25))
def test_after_every_step_it_is_the_fold_so_far_and_no_step_is_lost(events: list[e.Event]) -> None:
    whole = told(events)
    steps = list(tell(Incident(id="i1"), whole))
    assert all(incident == one_by_one(whole[: recorded.seq]) for recorded, incident in steps)
    said = {recorded.seq for recorded, _ in steps}
    followed = {one.seq for one, then in pairwise(whole) if one.event.kind == then.event.kind == "joined"}
    assert said == {one.seq for one in whole} - followed
