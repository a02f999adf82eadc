"""Credentials by reference: resolved when needed, scrubbed from everything, made when a target is provisioned."""

import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from ratchet.desk.views import TargetRequest
from ratchet.domain.errors import Refusal, invalid
from ratchet.domain.noun import Json
from ratchet.domain.ports import Clock
from ratchet.domain.target import SecretRef, Target
from ratchet.security.private_file import read_private, replace_private
from ratchet.security.redact import Redactor
from ratchet.security.secrets import Secret, resolve
from ratchet.tools.postgres.provision import provision


class LiveRedactor:
    """A redactor that learns every secret that is resolved while the program runs."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._known: set[Secret] = set()
        self._guard = threading.Lock()
        self._redactor = Redactor((), key)

    def learn(self, *secrets: Secret) -> None:
        """Scrub these values from now on."""
        with self._guard:
            if not self._known.issuperset(secrets):
                self._known.update(secrets)
                self._redactor = Redactor(self._known, self._key)

    def redact(self, value: Json) -> Json:
        """The value without secrets."""
        return self._redactor.redact(value)

    def text(self, text: str) -> str:
        """The text without secrets."""
        return self._redactor.text(text)

    def identity(self, text: str) -> str:
        """The text itself, or its print where it holds a secret."""
        return self._redactor.identity(text)


class Credentials:
    """Resolves references against one environment; keeps what it makes under `home/secrets` with mode 0600."""

    def __init__(self, home: Path, environ: Mapping[str, str], redactor: LiveRedactor, clock: Clock) -> None:
        self._home = home
        self._environ = environ
        self._redactor = redactor
        self._clock = clock

    def secret(self, ref: SecretRef) -> Secret:
        """The credential behind a reference; raises Refusal(INVALID) with what to do."""
        found = resolve(ref, self._environ, read_private)
        self._redactor.learn(found)
        return found

    def know(self, targets: Sequence[Target]) -> None:
        """Scrub every credential of these targets from now on, as far as it can be had here, used or not."""
        found: list[Secret] = []
        for ref in (ref for target in targets for ref in (target.diag, target.act, target.canary) if ref is not None):
            with suppress(Refusal):
                found.append(resolve(ref, self._environ, read_private))
        self._redactor.learn(*found)

    def address(self, target: Target) -> str:
        """`host:port/database` of a target's diag credential."""
        self.know([target])
        if target.diag is None:
            return ""
        parts = conninfo_to_dict(self.secret(target.diag).reveal())
        host = parts.get("host") or parts.get("hostaddr") or "localhost"
        return f"{host}:{parts.get('port') or 5432}/{parts.get('dbname') or parts.get('user') or ''}"

    def provision(self, request: TargetRequest, primary: Target | None) -> Target:
        """Make both roles with the least rights; the target refers to files that hold their credentials.

        A replica takes the roles of its primary: they reach it by replication, and nothing can be made there.
        """
        if request.admin is None:
            return request.target
        admin = self.secret(request.admin)
        if primary is not None:
            diag, act = self._same_roles(primary, admin)
        else:
            made = provision(admin, request.target.name, self._clock, frozenset(request.allow))
            diag, act = made.diag, made.act
        name = request.target.name
        kept = {part: self._keep(name, part, dsn) for part, dsn in (("diag", diag), ("act", act))}
        return request.target.model_copy(update=kept)

    def _same_roles(self, primary: Target, admin: Secret) -> tuple[Secret, Secret]:
        if primary.diag is None or primary.act is None:
            message = f"The primary {primary.name} has no roles of its own to be used on its replica."
            raise invalid(message, "Provision the primary first.")
        here = conninfo_to_dict(admin.reveal())
        place = {key: here[key] for key in ("host", "hostaddr", "port") if key in here}
        diag, act = (conninfo_to_dict(self.secret(ref).reveal()) for ref in (primary.diag, primary.act))
        return Secret(make_conninfo("", **{**diag, **place})), Secret(make_conninfo("", **{**act, **place}))

    def _keep(self, target: str, part: str, dsn: Secret) -> SecretRef:
        self._redactor.learn(dsn)
        directory = self._home / "secrets"
        directory.mkdir(mode=0o700, exist_ok=True)
        path = directory / f"{target}-{part}.dsn"
        replace_private(path, dsn.reveal().encode())
        return SecretRef(kind="file", name=str(path))
