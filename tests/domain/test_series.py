"""The life of a playbook: at most one version is active, and the fold says which."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ratchet.domain import series as s
from ratchet.domain.timeline import Recorded

NOW = datetime(2026, 1, 31, tzinfo=UTC)


def version(name: str, source: Any = "manual") -> s.Version:
    return s.Version(
        id=f"v{name}", series="pbs_x", version=f"1.{name}", name="X", title="Something is wrong", source=source,
        text="t", digest="sha256:0", created_at=NOW, created_by="user:ana",
    )  # fmt: skip


def fold(events: list[s.SeriesEvent]) -> s.Series:
    series = s.Series(id="pbs_x")
    for seq, event in enumerate(events, start=1):
        series = series.apply(Recorded[s.SeriesEvent](seq=seq, at=NOW, by="user:ana", event=event))
    return series


@st.composite
def lives(draw: st.DrawFn) -> list[s.SeriesEvent]:
    events: list[s.SeriesEvent] = []
    made = 0
    for choice in draw(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 9)), max_size=25)):
        kind, pick = choice
        if made == 0 or kind == 0:
            events.append(s.VersionDrafted(version=version(str(made))))
            made += 1
            continue
        if kind == 6:
            events.append(s.Seeded(version=version(str(made), "system"), active=pick % 2 == 0))
            made += 1
            continue
        named = f"v{pick % made}"
        person: Any = {"version_id": named, "by": "user:ana", "reason": "so"}
        events.append(
            {
                1: s.Edited(version_id=named, text=f"t{pick}", digest="sha256:1", guidance="", blanks=()),
                2: s.Activated(**person), 3: s.Retired(**person), 4: s.Discarded(**person), 5: s.Activated(**person),
            }[kind]
        )  # fmt: skip
    return events


@given(lives())
def test_at_most_one_version_is_active_after_any_events(events):
    for n in range(len(events) + 1):
        series = fold(events[:n])
        assert sum(v.state == "active" for v in series.versions) <= 1
        assert series.seq == n


@given(lives())
def test_a_series_folds_the_same_after_it_was_written_and_read(events):
    read = [s.Seeded.model_validate_json(x.model_dump_json()) if x.kind == "seeded" else x for x in events]
    assert fold(read) == fold(events)
    assert s.Series.model_validate_json(fold(events).model_dump_json()) == fold(events)


@given(lives())
def test_the_version_named_last_by_a_person_is_the_active_one(events):
    series = fold([*events, s.VersionDrafted(version=version("99")), s.Activated(version_id="v99", by="u", reason="r")])
    assert series.active is not None
    assert series.active.id == "v99"
    assert series.activated_by_person()


def test_an_edit_keeps_the_id_and_moves_the_revision():
    edited = s.Edited(version_id="v0", text="new", digest="sha256:1", guidance="g", blanks=("owner",))
    found = fold([s.VersionDrafted(version=version("0")), edited]).find("v0")
    assert found is not None
    assert (found.text, found.revision, found.blanks, found.state) == ("new", 2, ("owner",), "draft")


def test_a_system_version_alone_was_not_activated_by_a_person():
    assert not fold([s.Seeded(version=version("0", "system"), active=True)]).activated_by_person()
