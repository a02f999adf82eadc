"""The life of a version over a real store: who may activate what, going back, retiring, and what is remembered."""

import multiprocessing
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ratchet.desk.playbooks import Playbooks
from ratchet.desk.reviewing import ANY, Reviewing
from ratchet.domain.errors import Code, Outdated, Refusal
from ratchet.domain.playbook import Playbook
from ratchet.domain.series import Edited, Version
from ratchet.tools.replay import Replay
from ratchet.vault.backtest import Backtests
from ratchet.vault.canonical import canonical_text, text_digest
from ratchet.vault.files import PlaybookFiles
from ratchet.vault.making import Source
from ratchet.vault.seeding import seed, shipped_texts, takes_over
from tests.vault import worlds as w
from tests.vault.recorded import Records
from tests.vault.test_differential_examples import CASES

SERIES = "pbs_connection_triage"
LEAK = "connection_exhaustion_idle_leak"
ANA, BO = "user:ana", "user:bo"
PROCESSES, DRAFTS = 4, 10


class Room:
    """The vault's two rooms over one store."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self.store = records.store
        ids = iter(range(10**9))
        self.playbooks = Playbooks(records.store, records.files, records.clock, lambda: f"id{next(ids)}")
        backtests = Backtests(records.store, records.shelf, Replay, records.clock, lambda _: "")
        self.reviewing = Reviewing(records.store, self.playbooks, records.files, backtests, records.clock)

    def spec(self, **change: Any) -> Playbook:
        """The active text with another body."""
        active = self.records.active(SERIES)
        return active.model_copy(
            update={"spec": active.spec.model_copy(update={"owner": "user:default/ana", **change})}
        )

    def draft(self, playbook: Playbook, number: str = "9.0", by: str = ANA, source: Source = "manual") -> Version:
        return self.records.draft(playbook, number, by=by, source=source)

    def active(self) -> str:
        version = self.store.series(SERIES).active
        return version.version if version else ""


@pytest.fixture
def room(tmp_path: Path, playbook_files: PlaybookFiles) -> Iterator[Room]:
    records = Records(tmp_path, playbook_files, only=SERIES)
    yield Room(records)
    records.close()


def refused(call: Callable[..., object], *args: Any) -> Refusal:
    with pytest.raises(Refusal) as no:
        call(*args)
    return no.value


def test_a_draft_of_other_words_is_activated_by_its_author_and_keeps_its_backtest(room: Room) -> None:
    draft = room.draft(room.spec(guidance="Look twice.\n"))
    view = room.reviewing.activate(draft.id, "read it", ANA)
    assert (view.state, room.active()) == ("active", "9.0")
    series = room.store.series(SERIES)
    version = series.find(draft.id)
    assert version is not None
    assert version.backtest is not None
    assert (version.activated_by, version.backtest.digest) == (ANA, version.digest)
    assert [v.state for v in series.versions].count("active") == 1
    events = [(line.event, line.by, line.reason) for line in room.playbooks.history(SERIES)]
    assert events[-2:] == [("backtested", ANA, ""), ("activated", ANA, "read it")]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"owner": ""}, "blanks that only a person can fill: owner"),
        ({"follow_ups": ()}, "nothing that keeps this from coming back"),
        ({"guidance": "password=hunter2hunter2\n"}, "lint fault"),
    ],
)
def test_each_thing_that_is_missing_is_refused_in_its_own_words(room: Room, change: dict[str, Any], words: str) -> None:
    no = refused(room.reviewing.activate, room.draft(room.spec(**change)).id, "", BO)
    assert words in no.message
    assert no.remedy
    assert room.active() != "9.0"


def test_a_new_mutating_step_in_a_typo_fix_is_named_and_needs_somebody_else(room: Room) -> None:
    spec = room.records.active(SERIES).spec
    name, step = next(iter(spec.steps.items()))
    leak = next(rule for rule in spec.triage.hypotheses if rule.then == (name,))
    rules = tuple(
        rule.model_copy(update={"then": (name, "once_more")}) if rule.id == leak.id else rule
        for rule in spec.triage.hypotheses
    )
    typo = room.spec(
        guidance="Look frist.\n", steps={**spec.steps, "once_more": step},
        triage=spec.triage.model_copy(update={"hypotheses": rules}),
    )  # fmt: skip
    draft = room.draft(typo)
    no = refused(room.reviewing.activate, draft.id, "a typo", ANA)
    assert no.code is Code.FORBIDDEN
    assert "new mutation: steps.once_more" in no.message
    assert "user:ana did" in no.remedy
    assert refused(room.reviewing.activate, draft.id, "a typo", "user:ANA").code is Code.FORBIDDEN
    assert room.reviewing.activate(draft.id, "read the diff", BO, draft.digest, "http").state == "active"


def test_a_text_that_was_edited_after_it_was_read_is_not_activated_unseen(room: Room) -> None:
    spec = room.records.active(SERIES).spec
    draft = room.draft(room.spec(limits=spec.limits.model_copy(update={"mutations": 5})))
    read = room.reviewing.difference(draft.id, "")
    room.playbooks.edit(draft.id, {"guidance": "A word more.\n"}, "", ANA)
    for digest in (read.digest, "sha256:0", "sha256:"):
        with pytest.raises(Outdated, match="changed since it was read: it is at revision 2"):
            room.reviewing.activate(draft.id, "read the diff", BO, digest, "http")
    for digest in ("", ANY):
        no = refused(room.reviewing.activate, draft.id, "read the diff", BO, digest, "http")
        assert no.code is Code.CONFLICT
        assert "nothing says which text of it was read" in no.message
        assert f"ratchet vault diff {draft.id}" in no.remedy
    assert room.active() != "9.0"
    again = room.reviewing.difference(draft.id, "").digest
    assert room.reviewing.activate(draft.id, "read it again", BO, again, "http").state == "active"


def test_words_alone_and_the_way_back_need_no_digest_and_bear_no_wrong_one(room: Room) -> None:
    first = room.store.series(SERIES).active
    assert first is not None
    draft = room.draft(room.spec(guidance="Look twice.\n"))
    with pytest.raises(Outdated):
        room.reviewing.activate(draft.id, "", BO, first.digest)
    assert room.reviewing.activate(draft.id, "", BO).state == "active"
    with pytest.raises(Outdated):
        room.reviewing.activate(first.id, "back", BO, draft.digest)
    assert room.reviewing.activate(first.id, "back", BO, first.digest).state == "active"


def test_a_draft_that_was_drawn_anew_after_it_was_read_is_not_activated_unseen(room: Room) -> None:
    chosen = room.draft(room.spec(guidance="One.\n"), "9.0")
    drawn = room.draft(room.spec(guidance="Two.\n"), "9.1", by="ratchet", source="generated")

    def redrawn(version: Version) -> Edited:
        text = version.text.replace("Two.", "One and two.")
        return Edited(version_id=version.id, text=text, digest=text_digest(text), guidance="One and two.\n", blanks=())

    reviewing = replace(room.reviewing, redrawn=redrawn)
    read = reviewing.examine(drawn.id, BO).playbook.digest
    reviewing.activate(chosen.id, "", ANA)
    with pytest.raises(Outdated):
        reviewing.activate(drawn.id, "", BO, read)


def test_what_ratchet_wrote_and_may_do_more_needs_two_persons(room: Room) -> None:
    spec = room.records.active(SERIES).spec
    draft = room.draft(room.spec(limits=spec.limits.model_copy(update={"mutations": 5})), by="ratchet")
    no = refused(room.reviewing.activate, draft.id, "", BO)
    assert "second person" in no.message
    room.playbooks.edit(draft.id, {"team": "group:default/db"}, "", ANA)
    assert refused(room.reviewing.activate, draft.id, "", ANA).code is Code.FORBIDDEN
    read = room.reviewing.examine(draft.id, BO).playbook.digest
    assert room.reviewing.activate(draft.id, "", BO, read, "http").state == "active"


def test_the_second_reader_comes_with_a_token_for_two_names_at_one_terminal_may_be_one_person(room: Room) -> None:
    spec = room.records.active(SERIES).spec
    draft = room.draft(room.spec(limits=spec.limits.model_copy(update={"mutations": 5})))
    no = refused(room.reviewing.activate, draft.id, "read it", BO, draft.digest, "cli")
    assert (no.code, "two names are one person" in no.remedy) == (Code.FORBIDDEN, True)
    assert room.reviewing.examine(draft.id, BO, "cli").objections
    assert not room.reviewing.examine(draft.id, BO, "http").objections
    assert room.reviewing.activate(draft.id, "read it", BO, draft.digest, "http").state == "active"


def test_whoever_edited_last_but_one_is_still_an_author(room: Room) -> None:
    spec = room.records.active(SERIES).spec
    draft = room.draft(room.spec(limits=spec.limits.model_copy(update={"mutations": 5})))
    room.playbooks.edit(draft.id, {"guidance": "A word more.\n"}, "", BO)
    assert refused(room.reviewing.activate, draft.id, "", ANA).code is Code.FORBIDDEN
    assert refused(room.reviewing.activate, draft.id, "", BO).code is Code.FORBIDDEN
    read = room.reviewing.difference(draft.id, "").digest
    assert room.reviewing.activate(draft.id, "", "user:cleo", read, "http").state == "active"


def test_whoever_edits_words_alone_may_still_approve_what_it_does_and_whoever_edits_more_may_not(room: Room) -> None:
    draft = room.draft(room.spec(), by="ratchet")
    room.playbooks.edit(draft.id, {"guidance": "Updated after review.\n", "owner": "user:default/bo"}, "", ANA)
    read = room.playbooks.find(draft.id)[1]
    assert (read.writers, read.authors) == (("ratchet",), (ANA,))
    limits = room.records.active(SERIES).spec.limits.model_copy(update={"mutations": 1})
    narrower = room.spec(limits=limits)
    number = {"metadata": narrower.metadata.model_copy(update={"version": "9.0"})}
    text = canonical_text(narrower.model_copy(update=number))
    room.playbooks.edit(draft.id, {"text": text}, "", ANA)
    assert room.playbooks.find(draft.id)[1].writers == ("ratchet", ANA)
    room.playbooks.edit(draft.id, {"guidance": "One word more.\n"}, "", BO)
    assert room.playbooks.find(draft.id)[1].writers == ("ratchet", ANA)


def test_whoever_wrote_some_of_it_stays_a_writer_whatever_others_change_or_copy_later(room: Room) -> None:
    draft = room.draft(room.spec(), by="ratchet")
    for number, who in ((1, ANA), (2, BO)):
        limits = room.records.active(SERIES).spec.limits.model_copy(update={"mutations": number})
        changed = room.spec(limits=limits)
        text = canonical_text(
            changed.model_copy(update={"metadata": changed.metadata.model_copy(update={"version": "9.0"})})
        )
        room.playbooks.edit(draft.id, {"text": text}, "", who)
    assert room.playbooks.find(draft.id)[1].writers == ("ratchet", ANA, BO)
    copy = room.playbooks.new_draft(draft.id, "the same again", "user:cleo")
    assert set(room.playbooks.find(copy.id)[1].writers) == {"ratchet", ANA, BO, "user:cleo"}


def test_a_version_that_would_conclude_wrongly_what_was_known_is_refused_with_the_incident(room: Room) -> None:
    name = room.records.record({**w.healthy(), **CASES["idle leak"][0]}, cause=LEAK)
    rules = room.records.active(SERIES).spec.triage.hypotheses
    blind = tuple(
        rule.model_copy(update={"confirm": f"({rule.confirm}) and slots.first.used > 100000"})
        if rule.cause == LEAK
        else rule
        for rule in rules
    )
    spec = room.records.active(SERIES).spec
    draft = room.draft(room.spec(triage=spec.triage.model_copy(update={"hypotheses": blind})))
    no = refused(room.reviewing.activate, draft.id, "", ANA)
    assert f"changes 1 of 1 conclusions: 1 worse ({name})" in no.message
    assert no.code is Code.FORBIDDEN


def test_going_back_is_an_activation_of_its_own_with_person_and_reason(room: Room) -> None:
    first = room.store.series(SERIES).active
    assert first is not None
    draft = room.draft(room.spec(guidance="Look twice.\n"))
    room.reviewing.activate(draft.id, "", ANA)
    assert "reason" in refused(room.reviewing.activate, first.id, " ", BO).message
    view = room.reviewing.activate(first.id, "the new one misled us", BO)
    assert (view.state, room.active()) == ("active", first.version)
    last = room.playbooks.history(SERIES)[-1]
    assert (last.event, last.by, last.reason) == ("rolled_back", BO, "the new one misled us")
    assert room.store.series(SERIES).find(draft.id).state == "retired"  # type: ignore[union-attr]


def test_whoever_went_back_to_a_shipped_version_is_not_overruled_by_the_next_release(room: Room) -> None:
    series = room.store.series(SERIES)
    first = series.active
    assert first is not None
    draft = room.draft(room.spec(guidance="Look twice.\n"))
    room.reviewing.activate(draft.id, "", ANA)
    room.reviewing.activate(first.id, "back", ANA)
    newer = first.model_copy(update={"id": "pb_system_newer", "version": "99.0"})
    assert not takes_over(room.store.series(SERIES), newer)
    mine = {name: text for name, text in shipped_texts().items() if name.startswith(SERIES)}
    assert seed(room.store, room.records.files, mine, lambda _: None)[0] == 0


def test_drafts_that_nobody_edited_follow_what_was_activated_and_those_of_people_stay(room: Room) -> None:
    chosen = room.draft(room.spec(guidance="One.\n"), "9.0")
    drawn, edited = (
        room.draft(room.spec(guidance="Two.\n"), number, by="ratchet", source="generated") for number in ("9.1", "9.2")
    )
    room.playbooks.edit(edited.id, {"guidance": "Mine.\n"}, "", ANA)

    def redrawn(version: Version) -> Edited:
        text = version.text.replace("Two.", "One and two.")
        guidance = "One and two.\n"
        return Edited(version_id=version.id, text=text, digest=text_digest(text), guidance=guidance, blanks=())

    replace(room.reviewing, redrawn=redrawn).activate(chosen.id, "", BO)
    after = {v.id: v for v in room.store.series(SERIES).versions}
    assert (after[drawn.id].guidance, after[drawn.id].revision) == ("One and two.\n", 2)
    assert after[edited.id].guidance == "Mine.\n"
    assert room.active() == "9.0"


def test_what_is_retired_leaves_its_series_without_an_active_version_and_can_come_back(room: Room) -> None:
    first = room.store.series(SERIES).active
    assert first is not None
    assert "reason" in refused(room.playbooks.retire, SERIES, "", ANA).message
    view = room.playbooks.retire(SERIES, "the pooler is gone", ANA)
    assert (view.state, room.active()) == ("retired", "")
    assert refused(room.playbooks.retire, first.id, "again", ANA).code is Code.CONFLICT
    assert room.reviewing.activate(first.id, "it is back", ANA).state == "active"


def test_every_text_that_was_ever_kept_can_be_read_again(room: Room) -> None:
    draft = room.draft(room.spec(guidance="One.\n"))
    room.playbooks.edit(draft.id, {"guidance": "Two.\n"}, "", ANA)
    room.playbooks.edit(draft.id, {"guidance": "Three.\n"}, "", BO)
    kept = [one.event for one in room.store.series_timeline(SERIES)]
    texts = [event.version.text if event.kind == "version_drafted" else event.text for event in kept[-3:]]  # type: ignore[union-attr]
    assert [("One." in t, "Two." in t, "Three." in t) for t in texts] == [
        (True, False, False), (False, True, False), (False, False, True),
    ]  # fmt: skip
    version = room.store.series(SERIES).find(draft.id)
    assert version is not None
    assert (version.revision, version.authors) == (3, (ANA, BO))


def test_an_edit_of_what_was_read_earlier_is_refused(room: Room) -> None:
    draft = room.draft(room.spec())
    room.playbooks.edit(draft.id, {"guidance": "Mine.\n"}, draft.digest, ANA)
    with pytest.raises(Outdated):
        room.playbooks.edit(draft.id, {"guidance": "Yours.\n"}, draft.digest, BO)
    assert room.playbooks.edit(draft.id, {"guidance": "Yours.\n"}, "*", BO).revision == 3


def test_a_new_draft_of_the_active_version_changes_nothing_until_it_is_edited(room: Room) -> None:
    view = room.playbooks.new_draft(SERIES, "tighten the threshold", ANA)
    assert (view.state, view.source, view.created_by) == ("draft", "manual", ANA)
    assert room.reviewing.difference(view.id, "").changes == ()
    assert room.active() != view.version
    assert "tighten the threshold" in view.text


def test_a_text_that_was_changed_behind_the_vault_is_refused_at_use(room: Room) -> None:
    version = room.store.series(SERIES).active
    assert version is not None
    with room.store._journal.connections.write() as connection:
        connection.exec_driver_sql(
            "UPDATE series SET body = replace(body, 'Connection & Lock Triage', 'Connection & Luck Triage')"
        )
    no = refused(room.records.shelf.version, version.id)
    assert "not the one that was kept under its digest" in no.message
    assert room.records.shelf.candidates("postgres") == []
    assert [no.code for no in room.records.shelf.left_out()] == [Code.FAILED]


def test_a_backtest_speaks_only_for_the_text_it_was_made_of(room: Room) -> None:
    draft = room.draft(room.spec())
    room.reviewing.backtest(draft.id, None, ANA)
    assert room.reviewing.examine(draft.id, BO).backtest is not None
    room.playbooks.edit(draft.id, {"guidance": "Other.\n"}, "", ANA)
    examined = room.reviewing.examine(draft.id, BO)
    assert examined.backtest is None
    assert examined.authors == (ANA,)
    assert examined.objections == ()
    assert room.reviewing.activate(draft.id, "", BO).state == "active"
    tested = room.store.series(SERIES).find(draft.id)
    assert tested is not None
    assert tested.backtest is not None
    assert tested.backtest.digest == tested.digest


def _life(home: str, mine: range, started: Any, told: Any) -> None:
    """One process of many: edits its own drafts and tries to activate or discard each, as fast as it can."""
    records = Records(Path(home), PlaybookFiles(*_KNOWN), new=False)
    room = Room(records)
    started.wait(60)
    for number in mine:
        draft = f"pb_manual_9.{number}"
        edit = partial(room.playbooks.edit, draft, {"guidance": "Anew.\n"}, "", ANA)
        told.put((number, "edit", _said(edit)))
        if number % 4:
            told.put((number, "activate", _said(partial(room.reviewing.activate, draft, "", ANA))))
        else:
            told.put((number, "discard", _said(partial(room.playbooks.discard, draft, "", ANA))))
    records.close()


def _said(call: Callable[[], object]) -> str:
    try:
        call()
    except Refusal as no:
        return no.code.value
    return "done"


_KNOWN: Any = ()


def test_many_at_once_leave_one_active_version_and_lose_nothing(room: Room) -> None:
    """Twenty words at once from several processes: each draft of one series is edited, then activated or discarded."""
    globals()["_KNOWN"] = (room.records.files.known, room.records.files.causes)
    for number in range(DRAFTS):
        room.draft(room.spec(guidance=f"Draft {number}.\n"), f"9.{number}")
    home = str(room.store._anchor.path.parent)
    fork = multiprocessing.get_context("fork")
    started, told = fork.Barrier(PROCESSES), fork.Queue()
    shares = [range(first, DRAFTS, PROCESSES) for first in range(PROCESSES)]
    lives = [fork.Process(target=_life, args=(home, mine, started, told)) for mine in shares]
    for life in lives:
        life.start()
    said = [told.get(timeout=120) for _ in range(2 * DRAFTS)]
    for life in lives:
        life.join(timeout=60)
    assert [life.exitcode for life in lives] == [0] * PROCESSES
    series = room.store.series(SERIES)
    assert sum(v.state == "active" for v in series.versions) == 1
    assert series == room.store.refold_series(SERIES)
    assert {word for _, _, word in said} <= {"done", "conflict"}
    done = [(verb, number) for number, verb, word in said if word == "done"]
    kinds = [one.event.kind for one in room.store.series_timeline(SERIES)]
    assert kinds.count("edited") == sum(verb == "edit" for verb, _ in done) == DRAFTS
    assert kinds.count("activated") == sum(verb == "activate" for verb, _ in done) >= 1
    assert kinds.count("discarded") == sum(verb == "discard" for verb, _ in done) == len(range(0, DRAFTS, 4))
    assert [one.seq for one in room.store.series_timeline(SERIES)] == list(range(1, len(kinds) + 1))
    assert room.store.verify().ok
