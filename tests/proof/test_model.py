"""The step protocol as a model: random lives, weighted towards effects, in which every invariant is watched.

The store, the decisions, the engine and the performer are the real ones; only target, time and people are made here.
"""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from ratchet.domain.series import Activated
from tests.proof.life import BOOKS, Life
from tests.proof.watch import Watch
from tests.proof.world import MOODS

PLACES = tuple(
    f"{side}_{what}"
    for what in ("intent", "anchor", "send", "acted", "doubted", "took", "settled", "asked", "sampled", "verified",
                 "escalated", "resolved", "superseded", "wake")
    for side in ("before", "after")
)  # fmt: skip
SEND_PLACES = ("before_intent", "after_intent", "before_anchor", "after_anchor", "before_send", "after_send")
DEEDS = ("pause", "take", "resolve", "deny", "usurp", "back", "repeat", "anchor")
KLASS = st.sampled_from(["A", "A", "B", "B", "C"])
TARGET = st.sampled_from(["db", "db", "db-r", "other"])
MOOD = st.sampled_from(["well", "well", "well", *MOODS])
EVER: Counter[str] = Counter()
"""What happened over all lives; a run in which nothing happens proves nothing."""


class Lives(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.life = Life()
        self.watch = Watch(self.life)
        self.some: list[str] = []
        self.newer = self.newest = 0

    def one(self, pick: int) -> str:
        return self.some[-1 - pick % min(3, len(self.some))] if self.some else ""

    # -- whole stories, which is where effects come from

    @rule(klass=KLASS, on=TARGET, mood=MOOD, helps=st.sampled_from([True, True, False]),
          blind=st.sampled_from([0, 0, 1, 1, 2, 3]), seen=st.sampled_from([2, 4]))  # fmt: skip
    def lives_through(self, klass: str, on: str, mood: Any, helps: bool, blind: int, seen: float) -> None:
        self.life.world.helps = helps
        incident = self._until_asked(klass, on)
        for number in range(4):
            self.life.world.mood = mood if number == 0 else "well"
            self.life.approve(incident, "ana", "ben")
            self.life.run()
            self.life.world.mood = "well"
            self.life.settle(seen)
            self.life.world.blind = blind
            self.life.settle(20)
            if self.life.store.incident(incident).status in ("resolved", "escalated"):
                break
            self.life.settle(54)
        self.life.world.helps = True

    @rule(klass=KLASS, place=st.sampled_from(PLACES), mood=MOOD, then=st.sampled_from([0, 5, 13, 30]))
    def is_killed(self, klass: str, place: str, mood: Any, then: float) -> None:
        incident = self._until_asked(klass, "db")
        self.life.approve(incident, "ben", "cem")
        self.life.kill_at, self.life.world.mood = place, mood
        self.life.run()
        self.life.world.passes(then)
        self.life.run()
        self.life.kill_at, self.life.world.mood = "", "well"
        self.life.settle(20)

    @rule(klass=KLASS, place=st.sampled_from(SEND_PLACES), deed=st.sampled_from(DEEDS))
    def is_broken_into(self, klass: str, place: str, deed: str) -> None:
        incident = self._until_asked(klass, "db")
        deeds: dict[str, Callable[[], Any]] = {
            "pause": lambda: self.life.automation.pause(self.life.person(), "wait"),
            "take": lambda: self.life.take(incident), "usurp": self.life.usurp,
            "resolve": lambda: self.life.repeat(incident, "resolved"),
            "deny": lambda: self.life.approve(incident, "cem", yes=False),
            "back": lambda: (self.life.take(incident), self.life.hand_back(incident)),
            "repeat": lambda: self.life.repeat(incident),
            "anchor": lambda: setattr(self.life, "anchor_down", True),
        }  # fmt: skip
        self.life.approve(incident, "ana", "ben")
        self.life.between = (place, deeds[deed])
        self.life.run()
        self.life.between, self.life.anchor_down = None, False
        self.life.settle(6)

    @rule(klass=KLASS, mood=st.sampled_from(["answer_lost", "swallowed", "delayed"]), delay=st.sampled_from([5, 9, 12]),
          back=st.sampled_from([0, 0, -3600, 3600, 86400]), theirs=st.sampled_from([0, -20]))  # fmt: skip
    def loses_an_answer_and_is_killed(self, klass: str, mood: Any, delay: float, back: int, theirs: int) -> None:
        """In doubt, then a new process whose wall clock may be another; the delayed act may land all the while."""
        incident = self._until_asked(klass, "db")
        self.life.approve(incident, "ana", "cem")
        self.life.world.mood, self.life.world.delay = mood, delay
        self.life.run()
        self.life.world.mood = "well"
        self.life.world.wall_set += timedelta(seconds=back)
        self.life.world.target_set += timedelta(seconds=theirs)
        self.life.crash()
        for _ in range(4):
            self.life.world.passes(4)
            self.life.run()
        self.life.settle(10)

    @rule(klass=KLASS, set_wall=st.sampled_from([-86400, -3600, 3600, 86400]), restart=st.booleans())
    def jumps_while_approved_but_paused(self, klass: str, set_wall: int, restart: bool) -> None:
        incident = self._until_asked(klass, "db")
        self.life.automation.pause(self.life.person(), "wait")
        self.life.approve(incident, "ana", "cem")
        self.life.run()
        self.life.world.passes(590)
        self.life.world.wall_set += timedelta(seconds=set_wall)
        if restart:
            self._restart(-set_wall if set_wall < 0 else None)
        self.life.run()
        self.life.world.passes(20)
        self.life.automation.resume(self.life.person(), "go on")
        self.life.run()
        self.life.settle(10)

    @rule(
        klass=st.sampled_from(["A", "C"]),
        uses=st.sampled_from([1, 2]),
        spoil=st.sampled_from(["", "certificate", "revoke", "text"]),
    )
    def acts_unattended(self, klass: str, uses: int, spoil: str) -> None:
        proof = self.life.certify(klass)
        granted = self.life.grant_ahead(klass, uses, certificate=proof.id)
        self.life.automation.pause(self.life.person(), "wait")
        self.some.append(self.life.alert(klass, "db"))
        self.life.run()
        if spoil == "revoke":
            self.life.store.revoke_standing(granted.id, "by user:ana", "user:ana")
        elif spoil == "text":
            self._activates(klass)
        elif spoil == "certificate":
            self.life.store.revoke_certificate(proof.id, "a drill failed", "ratchet")
        self.life.automation.resume(self.life.person(), "go on")
        self.life.run()
        self.life.settle(20)

    @rule(klass=st.sampled_from(["A", "B"]), mood=st.sampled_from(["answer_lost", "swallowed"]))
    def another_comes_while_nobody_knows(self, klass: str, mood: Any) -> None:
        """An act that cannot be looked up keeps its group until a person ends the doubt, however long that takes."""
        doubtful = self._until_asked("C", "db")
        self.life.approve(doubtful, "ana")
        self.life.world.mood = mood
        self.life.run()
        self.life.world.mood = "well"
        self.life.settle(20)
        self.life.world.passes(75)
        self.some.append(self.life.alert(klass, "db-r"))
        self.life.run()
        self.life.approve(self.some[-1], "ana", "ben")
        self.life.run()
        self._end_others()
        self.life.settle(4)

    @rule(klass=KLASS, first=st.booleans())
    def is_denied_among_answers(self, klass: str, first: bool) -> None:
        incident = self._until_asked(klass, "db")
        self.life.automation.pause(self.life.person(), "wait")
        for name in ("cem", "ana") if first else ("ana", "cem"):
            self.life.approve(incident, name, yes=name != "cem")
        self.life.automation.resume(self.life.person(), "go on")
        self.life.approve(incident, "ben")
        self.life.run()
        self.life.settle(4)

    @rule(where=st.sampled_from(["seen", "kept", "both"]), klass=KLASS)
    def packet_is_edited_after_the_yes(self, where: str, klass: str) -> None:
        incident = self._until_asked(klass, "db")
        self.life.automation.pause(self.life.person(), "wait")
        self.life.approve(incident, "ana", "ben")
        self.watch.tampered |= self.life.edit(incident, where)
        self.life.automation.resume(self.life.person(), "go on")
        self.life.run()
        self.life.settle(6)

    # -- what happens in between; few rules with many choices, so that stories stay the rule

    @rule(what=st.sampled_from(["comes", "firing", "resolved"]), klass=KLASS, on=TARGET, pick=st.integers(0, 2))
    def monitor_says(self, what: str, klass: str, on: str, pick: int) -> None:
        if what == "comes" or not self.some:
            self.some.append(self.life.alert(klass, on))
        else:
            self.life.repeat(self.one(pick), what)
        self.life.run()

    @rule(what=st.sampled_from(["yes", "no", "other bytes", "take", "take and back", "pause", "resume", "end"]),
          name=st.sampled_from(["ana", "ben", "cem", "eve"]), pick=st.integers(0, 2))  # fmt: skip
    def person_says(self, what: str, name: str, pick: int) -> None:
        who, one = self.life.person(name), self.one(pick)
        match what:
            case "yes" | "no" if one:
                self.life.approve(one, name, name, yes=what == "yes")
            case "other bytes" if one:
                assert not self.life.approve(one, "dan", digest="sha256:" + "0" * 64)
            case "take" | "take and back" if one:
                self.life.take(one)
                self.life.run()
                if what == "take and back":
                    self.life.hand_back(one)
            case "pause":
                self.life.automation.pause(who, "wait")
            case "resume":
                self.life.automation.resume(who, "go on")
            case _:
                self._end_others()
        self.life.run()

    @rule(seconds=st.sampled_from([1, 4, 12, 61, 300, 601]), wall=st.sampled_from([0, 0, -3600, -1, 3600, 86400]),
          theirs=st.sampled_from([0, 0, -7200, 7200]), reboot=st.booleans())  # fmt: skip
    def time_passes(self, seconds: float, wall: int, theirs: int, reboot: bool) -> None:
        """Time passes, clocks are set, and a process ends and another begins."""
        self.life.world.passes(seconds)
        self.life.world.wall_set += timedelta(seconds=wall)
        if not self.life.world.queue:
            self.life.world.target_set += timedelta(seconds=theirs)
        if wall:
            self._restart(max(0, -wall) if reboot else None)
        self.life.run()

    def _restart(self, back: int | None) -> None:
        """A new process; with `back`, on a machine that boots with its clock so many seconds in the past.

        One that boots with its clock in the future cannot be told from a long night, so that it is none of ours.
        """
        if back is None:
            self.life.crash()
            return
        self.newest += 1
        ahead = self.life.world.wall() - self.life.clock()
        self.life.world.wall_set -= max(ahead, timedelta(0)) + timedelta(seconds=back)
        self.life.crash(f"boot {self.newest}")

    @rule(what=st.sampled_from(["failover", "pid", "blind", "anchor", "text"]), klass=KLASS)
    def world_changes(self, what: str, klass: str) -> None:
        match what:
            case "failover":
                self.life.world.node += 1
            case "pid":
                self.life.world.reuses_pid()
            case "blind":
                self.life.world.blind = 2
            case "anchor":
                self.life.anchor_down = not self.life.anchor_down
            case _:
                self._activates(klass)
        self.life.run()

    def _activates(self, klass: str) -> None:
        """A person activates the other version of a series."""
        self.newer = 1 - self.newer
        series = self.life.store.series(BOOKS[klass][0])
        event = Activated(version_id=f"v-{klass}-{self.newer}", by="user:dan", reason="better")
        self.life.store.commit_series(series, event, by="user:dan")

    def _until_asked(self, klass: str, on: str) -> str:
        """Trouble on a target that is free, up to the question."""
        life = self.life
        life.anchor_down, life.world.blind, life.world.mood = False, 0, "well"
        life.automation.resume(life.person(), "go on")
        self._end_others()
        life.world.passes(75)
        self.some.append(life.alert(klass, on))
        life.run()
        return self.some[-1]

    def _end_others(self) -> None:
        """People end what they hold, so that conflict groups are free again."""
        for incident in self.life.store.incidents(limit=200).items:
            if incident.status in ("escalated", "held") and incident.may_land is None:
                self.life.hands.resolve(self.life.person(), incident.id, "x", "ended by hand")

    @invariant()
    def everything_holds(self) -> None:
        self.watch.check()

    def teardown(self) -> None:
        try:
            if not self.watch.whole:
                return
            self.watch.finish()
            EVER["lives"] += 1
            EVER["effects"] += len(self.life.world.ledger)
            EVER.update(f"effect {effect.klass}" for effect in self.life.world.ledger)
            for told in self.watch.told.values():
                EVER.update(event["kind"] for event in told.events)
            EVER.update({"killed": self.life.seen["killed"], "charged": len(self.watch.charged)})
        finally:
            self.watch.end()
            self.life.end()


def run_model(lives: int, steps: int, seed: int | None = None) -> None:
    """So many random lives, the same ones every time unless a seed is given."""
    machine = Lives
    if seed is not None:
        machine = type(f"Lives{seed}", (Lives,), {"_hypothesis_internal_use_seed": seed})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=lives, stateful_step_count=steps, deadline=None, derandomize=seed is None, database=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much], phases=(Phase.generate,),
            report_multiple_bugs=False,
        ),
    )  # fmt: skip


def test_no_life_breaks_an_invariant_and_effects_really_happen() -> None:
    EVER.clear()
    run_model(lives=12, steps=14)
    effects = EVER["effects"]
    assert effects >= 3 * EVER["lives"], EVER
    assert min(EVER["effect A"], EVER["effect B"], EVER["effect C"]) >= 10, EVER
    for kind in ("doubted", "settled", "superseded", "delayed", "refused", "taken", "handed_back", "expired", "killed",
                 "charged", "verified", "escalated", "resolved", "rolled_back"):  # fmt: skip
        assert EVER[kind] > 0, f"nothing was ever {kind}: {EVER}"
