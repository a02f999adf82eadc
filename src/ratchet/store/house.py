"""The house's own record: targets and tokens, each in one transaction with its event."""

from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from ratchet.domain.errors import invalid, not_found
from ratchet.domain.house import HouseEvent, TargetAdded, Token, TokenMade, TokenRevoked
from ratchet.domain.target import Target
from ratchet.store import tables as t
from ratchet.store.encoding import HOUSE_EVENT, recorded, stamp
from ratchet.store.events import Ledger, last_seq, read_stream
from ratchet.store.journal import Journal
from ratchet.store.prepared import Prepared

STREAM = "house"
_T = t.tokens.c
_TARGETS = Prepared(
    select(t.targets.c.body).where(t.targets.c.tenant == bindparam("of")).order_by(t.targets.c.name)
)  # fmt: skip
_TOKEN = Prepared(select(_T.body).where(_T.tenant == bindparam("of"), _T.hashed == bindparam("print")))


class House:
    """What the store answers about targets and tokens."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._made: dict[str, TokenMade] = {}
        self._read: dict[str, Target] = {}
        """The targets as last read, by the text that stands for each."""

    def record(self, event: HouseEvent, by: str) -> None:
        """Append an event of the house, and bring what it speaks of up to it."""
        match event:
            case TargetAdded():
                self.put_target(event.target, by)
            case TokenRevoked():
                self.revoke_token(event.id, by)
            case TokenMade():
                raise invalid("A token is not made by its event alone.", "Use put_token, which also keeps its hash.")
            case _:
                with self._journal.writing(by) as ledger:
                    note(ledger, event)

    def put_target(self, target: Target, by: str) -> None:
        """Register a target or replace its registration."""
        c = t.targets.c
        with self._journal.writing(by) as ledger:
            note(ledger, TargetAdded(target=target))
            ledger.connection.execute(delete(t.targets).where(c.tenant == ledger.tenant, c.name == target.name))
            row = {"tenant": ledger.tenant, "name": target.name, "body": target.model_dump_json()}
            ledger.connection.execute(insert(t.targets), row)

    def targets(self) -> list[Target]:
        """All registered targets, by name."""
        with self._journal.reading() as connection:
            bodies = _TARGETS.scalars(connection, {"of": self._journal.tenant})
        known = self._read
        read = {body: known.get(body) or Target.model_validate_json(body) for body in bodies}
        self._read = read
        return [read[body] for body in bodies]

    def registered_at(self, name: str) -> datetime | None:
        """When a target got its present registration, by its event; None for one that was never registered."""
        with self._journal.reading() as connection:
            return registered_at(connection, self._journal.tenant, name)

    def put_token(self, token: Token, by: str) -> None:
        """Keep a token's hash; raises Refusal(CONFLICT) for an id or hash that is there already."""
        with self._journal.writing(by) as ledger:
            note(ledger, _made(token))
            row = {"tenant": ledger.tenant, "id": token.id, "hashed": token.hashed, "body": token.model_dump_json()}
            ledger.connection.execute(insert(t.tokens), {**row, "created_at": stamp(token.created_at)})

    def token(self, hashed: str) -> Token | None:
        """The token of that hash, revoked and expired ones included; None when it is not as its event says."""
        with self._journal.reading() as connection:
            row = _TOKEN.first(connection, {"of": self._journal.tenant, "print": hashed})
            token = None if row is None else Token.model_validate_json(row[0])
            if token is None or token.hashed != hashed or not self._as_made(connection, token):
                return None
        return token

    def _as_made(self, connection: Connection, token: Token) -> bool:
        """Whether the event says the same; events are read again only for a token that was not met before."""
        if token.id not in self._made:
            for recorded in read_stream(connection, self._journal.tenant, STREAM, HOUSE_EVENT):
                if isinstance(recorded.event, TokenMade):
                    self._made[recorded.event.id] = recorded.event
        return token.id in self._made and self._made[token.id].made(token)

    def tokens(self) -> list[Token]:
        """All tokens, newest first."""
        query = select(_T.body).where(_T.tenant == self._journal.tenant).order_by(_T.created_at.desc(), _T.id.desc())
        with self._journal.reading() as connection:
            return [Token.model_validate_json(body) for body in connection.execute(query).scalars()]

    def revoke_token(self, token_id: str, by: str) -> None:
        """Revoke a token, once; raises Refusal(NOT_FOUND)."""
        here = (_T.tenant == self._journal.tenant, _T.id == token_id)
        with self._journal.writing(by) as ledger:
            body = ledger.connection.execute(select(_T.body).where(*here)).scalar()
            if body is None:
                raise not_found("token", token_id, "List them: ratchet token list")
            token = Token.model_validate_json(body)
            if token.revoked:
                return
            note(ledger, TokenRevoked(id=token_id))
            revoked = token.model_copy(update={"revoked": True})
            ledger.connection.execute(update(t.tokens).where(*here).values(body=revoked.model_dump_json()))


def _made(token: Token) -> TokenMade:
    return TokenMade(id=token.id, name=token.name, person=token.person, role=token.role, digest=token.digest)


def note(ledger: Ledger, event: HouseEvent) -> None:
    """Append an event of the house within a transaction under way."""
    ledger.append(STREAM, last_seq(ledger.connection, ledger.tenant, STREAM) + 1, event, HOUSE_EVENT)


def registered_at(connection: Connection, tenant: str, name: str) -> datetime | None:
    """The time of the last event that registered a target, within a transaction under way."""
    c = t.events.c
    query = select(c.stored).where(c.tenant == tenant, c.stream == STREAM, c.kind == TargetAdded.label)
    for stored in connection.execute(query.order_by(c.seq.desc())).scalars():
        told = recorded(stored, HOUSE_EVENT)
        if isinstance(told.event, TargetAdded) and told.event.target.name == name:
            return told.at
    return None
