"""The house: one store, one pair of hands, one shelf, one worker, and a desk for whoever asks."""

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path

from ulid import ULID

from ratchet.config import Settings
from ratchet.desk.alerts import Intake
from ratchet.desk.automation import Automation
from ratchet.desk.certifying import revoke_outdated, tools_digest
from ratchet.desk.contract import Desk
from ratchet.desk.decisions import Answers
from ratchet.desk.drills import Drills
from ratchet.desk.hands_over import HandsOver
from ratchet.desk.learning import LearningRooms
from ratchet.desk.records import Records
from ratchet.desk.room import LocalDesk, Rooms
from ratchet.desk.settings_watch import SettingsWatch
from ratchet.desk.standing import Standing
from ratchet.desk.targets import Targets
from ratchet.desk.tokens import Tokens, holder_name
from ratchet.desk.views import CheckView
from ratchet.domain.errors import Refusal, invalid
from ratchet.domain.fault import Fault
from ratchet.domain.policy import Policy
from ratchet.domain.ports import Clock, Store
from ratchet.execution.engine import Engine, Parts
from ratchet.execution.packets import Asking
from ratchet.execution.perform import Performer
from ratchet.execution.planner import Planner
from ratchet.execution.restart import void_approvals
from ratchet.execution.undo import Undoing
from ratchet.execution.worker import Worker
from ratchet.lab.catalog import FaultsOnDemand
from ratchet.notify.follow import follow_all
from ratchet.notify.reminders import Reminders, Webhook
from ratchet.security.alone import WORKER, held
from ratchet.security.principal import Principal
from ratchet.security.private_file import write_private
from ratchet.security.tokens import check_token, hash_token, principal_of
from ratchet.store.store import EventStore
from ratchet.tools.postgres.probes import ProbeShelf
from ratchet.tools.registry import Hands
from ratchet.triage.investigate import Investigator
from ratchet.triage.learned import Learned
from ratchet.vault.causes import causes_of
from ratchet.vault.files import PlaybookFiles
from ratchet.vault.keeping import Drafting
from ratchet.vault.known import KnownTools
from ratchet.vault.offering import offer, site_texts
from ratchet.vault.policy import overlaid, shipped_policy, site_policy
from ratchet.vault.seeding import seed, shipped_texts
from ratchet.vault.shelf import VaultShelf
from ratchet.wiring.clock import SteadyClock
from ratchet.wiring.credentials import Credentials, LiveRedactor
from ratchet.wiring.failpoint import failpoint
from ratchet.wiring.health import Health
from ratchet.wiring.rounds import Rounds
from ratchet.wiring.sinks import sinks_of
from ratchet.wiring.vault import due_reminders, vault_rooms
from ratchet.wiring.warmth import Warmth

SETTINGS_EVERY = 900.0
"""Seconds between two looks at the settings of servers that a certificate was given for."""
CHAIN_EVERY = 900.0
"""Seconds between two checks of the chain by a server, for its metrics page."""
LOG = logging.getLogger("ratchet.house")
HOUSE = Principal(kind="ratchet", name="ratchet", role="admin", channel="worker")


def new_id() -> str:
    """A ULID: sortable by time, without meaning otherwise."""
    return str(ULID())


class House:
    """Everything wired. `start` warms targets up and sets the worker going; `close` ends both."""

    def __init__(
        self, settings: Settings, state: tuple[EventStore, Clock], hands: Hands, rooms: tuple[Rooms, Worker, Health]
    ) -> None:
        self.settings = settings
        self.store, self._clock = state
        self._hands = hands
        self._rooms, self.worker, self._health = rooms
        self._stop_sinks: Callable[[], None] = _nothing
        self._stop_reminders: Callable[[], None] = _nothing
        self._warmth = Warmth(lambda: [target.name for target in self.store.targets()], hands.keep_warm)
        self.settings_watch = SettingsWatch(self.store, self._rooms.drills.shelf, hands, self._clock)
        self._rounds = Rounds("settings", self.settings_watch.round, SETTINGS_EVERY)
        self._proving = Rounds("chain", self._health.prove, CHAIN_EVERY)

    def desk(self, principal: Principal) -> Desk:
        """The desk as this principal meets it."""
        return LocalDesk(self._rooms, principal)

    def principal(self, token_text: str, channel: str) -> Principal | None:
        """Whom a token stands for; None when it is unknown, revoked or expired."""
        try:
            return principal_of(
                check_token(self.store.token(hash_token(token_text)), token_text, self._clock()), channel
            )
        except Refusal:
            return None

    def operator(self) -> Principal:
        """The person at this terminal, who owns the state directory."""
        return Principal(kind="person", name=self.settings.operator, role="admin", channel="cli")

    def loopback_source(self) -> Principal | None:
        """The source that may hand in alerts without a token, while no source token exists."""
        if any(token.role == "source" and not token.revoked for token in self.store.tokens()):
            return None
        return Principal(kind="service", name="loopback", role="source", channel="http")

    def ready(self) -> list[CheckView]:
        """What must be well before requests are worth sending here, and whether anybody works on what comes of them."""
        return [*self._health.ready(), _worked_on(self._works())]

    def figures(self) -> Mapping[str, float]:
        """Present numbers for the metrics page."""
        return {**self._health.figures(), "at_work": float(self._works())}

    def _works(self) -> bool:
        """Whether this process, or another of this home, works on incidents."""
        return self.worker.working() or held(self.settings.home / WORKER)

    def remind(self, log: Callable[[str], None]) -> None:
        """Begin to tell of each playbook that a person should look at before it is needed: in the log, and by POST."""
        every, reviewing = policy_of(self.settings).reminders.every, self._rooms.vault.reviewing
        address = self.settings.reminder_webhook
        reminders = Reminders(
            lambda: due_reminders(reviewing.reviews(), self._clock(), every), self.store.audit, log,
            Webhook(address) if address else None,
        )  # fmt: skip
        reminders.start()
        self._stop_reminders = reminders.stop

    def prove(self) -> None:
        """Begin to check the chain again and again, so that the metrics page tells of one that breaks."""
        self._proving.start()

    def start(self) -> None:
        """Begin to tell the sinks and open the warm sessions of every target; then `work`."""
        self._stop_sinks = follow_all(self.store.audit, sinks_of(self.settings))
        for target in self.store.targets():
            self._hands.pointed(target.name)
        self._warmth.start()
        self._rounds.start()

    def work(self) -> None:
        """Let the worker run, after `start`. Raises Refusal(INVALID) for a fault file of this site that is wrong."""
        LOG.debug("%d faults are known to drills", len(self._rooms.drills.faults))
        self.worker.start()

    def close(self) -> None:
        """Stop the worker, close every session and the state."""
        self._warmth.stop()
        self._rounds.stop()
        self._proving.stop()
        self.worker.stop()
        self._stop_sinks()
        self._stop_reminders()
        self._hands.close()
        self.store.close()


def _worked_on(works: bool) -> CheckView:
    """Unknown, and no failure, where nobody works: alerts are still to be taken, and wait."""
    if works:
        return CheckView(name="worker", ok=True, detail="a process works on incidents")
    return CheckView(name="worker", ok=None, detail="no process works on incidents", remedy="ratchet worker")


def _nothing() -> None:
    """Nobody is told anything before the start."""


def open_house(settings: Settings, log: Callable[[str], None]) -> House:
    """Open the state, seed the shipped playbooks (one log line each) and put everything together."""
    policy = policy_of(settings)
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    now = SteadyClock(settings.home / "clock")
    store = EventStore.open_at(settings.home, now, new_id)
    if now.never_before(store.high_water()):
        void_approvals(store, now)
    first_token(settings, store, now)
    redactor = LiveRedactor((settings.home / "key").read_bytes())
    credentials = Credentials(settings.home, settings.environ, redactor, now)
    credentials.know(store.targets())
    probes = ProbeShelf.load(
        [files("ratchet.library").joinpath("probes/postgres"), *_overlays(settings, "probes/postgres")],
        judged_late=True,
    )
    hands = Hands(store.targets, probes, credentials.secret, redactor, now)
    causes = causes_of({str(p): p.read_text("utf-8") for p in _overlays(settings, "causes.yaml")}).names
    known = KnownTools(probes=hands.probes(), tools={t.name: t for t in hands.tools()})
    playbooks = PlaybookFiles(known, causes, now)
    seed(store, playbooks, shipped_texts(), log)
    offer(store, playbooks, site_texts(_overlays(settings, "playbooks"), log), (now(), log))
    revoke_outdated(store, hands)
    shelf = VaultShelf(store, playbooks)
    faults = FaultsOnDemand(_overlays(settings, "faults"))
    parts = _parts(settings, (store, now), (hands, shelf), faults, policy)
    worker = Worker(Engine(parts), store, now)
    health = Health(settings.home, (store, store.audit), (hands, now.ahead), shelf, policy)
    hands_over = HandsOver(store, shelf, now, causes, policy.impact, redactor.text)
    ends = (hands_over, Records(store, store.audit, shelf), Intake(store, store.targets, new_id, redactor))
    vault = vault_rooms(
        (store, now, new_id), (playbooks, shelf), (faults, lambda: tools_digest(hands)), ends, worker.nudge
    )
    rooms = Rooms(
        store=store,
        intake=ends[2],
        answers=Answers(store, now, redactor.text),
        vault=vault,
        learning=LearningRooms(store, store.lives, shelf, vault.playbooks, ends[0], policy.objectives, now, new_id),
        targets=Targets(store, hands, shelf, (credentials.provision, credentials.address)),
        tokens=Tokens(store, now, os.urandom, new_id),
        records=ends[1],
        hands_over=ends[0],
        drills=Drills(store, shelf, hands, faults, hands_over, parts.investigator.conclude, now, new_id, worker.nudge),
        automation=Automation(store),
        standing=Standing(store, shelf, now, new_id),
        nudge=worker.nudge,
        doctor=health.doctor,
    )
    return House(settings, (store, now), hands, (rooms, worker, health))


def _parts(
    settings: Settings,
    state: tuple[EventStore, Clock],
    rooms: tuple[Hands, VaultShelf],
    faults: Mapping[str, Fault],
    policy: Policy,
) -> Parts:
    (store, now), (hands, shelf) = state, rooms
    at = failpoint(settings.failpoint, store.targets)
    return Parts(
        store=store,
        shelf=shelf,
        toolbox=hands,
        investigator=Investigator(hands, shelf, store.targets, now, Learned(store.lives, now).priors),
        planner=Planner(hands, policy),
        asking=Asking(hands, now, new_id),
        undoing=Undoing(hands, now, new_id),
        performer=Performer(hands, store, now, policy, at),
        draft=Drafting(store, shelf, faults.get, new_id),
        targets=store.targets,
        clock=now,
        at=at,
    )


def policy_of(settings: Settings) -> Policy:
    """The shipped policy with every `policy.yaml` of the site over it; raises Refusal(INVALID) with their mistakes, and
    for a site directory that is not there: a freeze in it would be passed over unseen."""
    for site in settings.overlays:
        if not site.is_dir():
            raise invalid(f"RATCHET_LIBRARY names {site}, which is no directory.", "Name one that is there, or none.")
    return overlaid(shipped_policy(), {str(p): site_policy(p) for p in _overlays(settings, "policy.yaml")})


def _overlays(settings: Settings, part: str) -> Sequence[Path]:
    return [overlay / part for overlay in settings.overlays if (overlay / part).exists()]


def first_token(settings: Settings, store: Store, now: Clock) -> None:
    """At first start a token for the first admin, the person who starts, is kept in `home/token` with mode 0600."""
    path = settings.home / "token"
    if path.exists() or store.tokens():
        return
    desk = Tokens(store, now, os.urandom, new_id)
    made = desk.make(holder_name(settings.operator), "admin", HOUSE.id, (True, None))
    write_private(path, (made.text + "\n").encode())
