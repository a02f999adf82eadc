"""Says what a target's logins lack (rights, extensions, versions) and the line that grants it."""

from collections.abc import Sequence

from psycopg import sql

from ratchet.domain.errors import Refusal
from ratchet.domain.plan import ToolSpec
from ratchet.domain.ports import Missing
from ratchet.tools.answers import NoAnswer
from ratchet.tools.postgres.privileges import PRIVILEGES
from ratchet.tools.postgres.probes import ProbeShelf, ProbeSpec
from ratchet.tools.postgres.rights import ACT_RIGHTS, BY_HAND, ActRight
from ratchet.tools.postgres.session import Facts, Sessions, Warm


def missing_rights(sessions: Sessions, shelf: ProbeShelf, tools: Sequence[ToolSpec]) -> list[Missing]:
    """What is missing on a target; `probes` of each names the probes *and* write tools that need it."""
    try:
        facts = sessions.facts()
        diag = _login(sessions.diag)
    except NoAnswer as failed:
        remedy = "Mend the login or the server, then check again."
        return [Missing(what=f"the diag login: {failed.answer.value}, {failed.detail}", remedy=remedy,
                        probes=shelf.names())]  # fmt: skip
    found = [*_diag_rights(sessions, shelf, facts, diag), *_unfit(shelf, facts), *_habits(sessions, diag)]
    if sessions.target.act is None:
        return found
    names = tuple(sorted(tool.name for tool in tools if tool.kind == "postgres"))
    try:
        act = _login(sessions.act)
    except NoAnswer as failed:
        what = f"the act login: {failed.answer.value}, {failed.detail}"
        return [*found, Missing(what=what, remedy="Mend the login, then check again.", probes=names)]
    found += _same_database(sessions)
    return [*found, *(_act_right(right, act) for right in ACT_RIGHTS
                      if right.fits(facts.version) and not _held(sessions, right.check, act))]  # fmt: skip


def _login(session: Warm) -> str:
    with session.line() as line:
        return line.info.user


def _habits(sessions: Sessions, diag: str) -> list[Missing]:
    """What works, but not as it should: a login that may do everything, and refusals in another language.

    A refused login reaches us as text alone, so only English words tell a full server from a starting one.
    """
    asked = "SELECT current_setting('lc_messages') AS tongue, current_setting('is_superuser')::bool AS superuser"
    found: list[Missing] = []
    try:
        row = sessions.read(asked, {})[0]
    except NoAnswer:
        return found
    if row["superuser"]:
        found.append(Missing(what=f"the diag login {diag} is a superuser", remedy="Register one of least rights."))
    if row["tongue"].partition("_")[0] not in ("", "C", "POSIX", "en", "C.UTF-8"):
        what = f"the server words its refusals in {row['tongue']}, which the canary cannot tell apart"
        remedy = "ALTER SYSTEM SET lc_messages = 'C'; SELECT pg_reload_conf()"
        found.append(Missing(what=what, remedy=remedy, probes=("postgres.canary",)))
    return found


def _same_database(sessions: Sessions) -> list[Missing]:
    """What diag shows of tables must be what act works on."""
    with sessions.diag.line() as diag, sessions.act.line() as act:
        shown, worked_on = diag.info.dbname, act.info.dbname
    if shown == worked_on:
        return []
    what = f"the diag login reads database {shown}, the act login works in {worked_on}"
    remedy = f"Point both logins at one database, {shown} or {worked_on}."
    return [Missing(what=what, remedy=remedy, probes=("postgres.vacuum_table", "postgres.analyze_table"))]


def _diag_rights(sessions: Sessions, shelf: ProbeShelf, facts: Facts, role: str) -> list[Missing]:
    specs = [spec for name in shelf.names() if (spec := _spec(shelf, name, facts.version)) is not None]
    found: list[Missing] = []
    for name in sorted(shelf.privileges()):
        privilege = PRIVILEGES[name]
        if _held(sessions, privilege.check, role):
            continue
        grants = "; ".join(each.format(role=_quoted(role), schema="<schema>") for each in privilege.grants)
        disabled = tuple(spec.name for spec in specs if name in spec.privileges)
        if disabled:
            what = f"{role} lacks {name} ({privilege.meaning})"
            found.append(Missing(what=what, remedy=f"{grants};" if grants else "", probes=disabled,
                                 optional=privilege.opt_in))  # fmt: skip
    return found


def _unfit(shelf: ProbeShelf, facts: Facts) -> list[Missing]:
    """Extensions that are not installed, and probes that no form fits this version."""
    lacking: dict[str, list[str]] = {}
    unfit: list[str] = []
    for name in shelf.names():
        spec = _spec(shelf, name, facts.version)
        if spec is None:
            unfit.append(name)
        elif spec.extension and spec.extension not in facts.extensions:
            lacking.setdefault(spec.extension, []).append(name)
    found = [
        Missing(
            what=f"the extension {extension} is not installed in this database",
            remedy=f"CREATE EXTENSION {extension}; (some must first stand in shared_preload_libraries)",
            probes=tuple(names),
            optional=True,
        )
        for extension, names in sorted(lacking.items())
    ]
    if unfit:
        what = f"server version {facts.version // 10_000} is not one that these probes are written for"
        found.append(Missing(what=what, remedy="Look without them, or upgrade the server.", probes=tuple(unfit),
                             optional=len(unfit) < len(shelf.names())))  # fmt: skip
    return found


def _act_right(right: ActRight, role: str) -> Missing:
    lines = right.grants or ((BY_HAND[right.name],) if right.name in BY_HAND else ())
    quoted = _quoted(role)
    return Missing(
        what=f"{role} lacks {right.name}",
        remedy="; ".join(line.replace("{role}", quoted) for line in lines),
        probes=right.tools,
        optional=right.opt_in,
    )


def _held(sessions: Sessions, check: str, role: str) -> bool:
    """A question that the server cannot answer counts as no."""
    try:
        rows = sessions.read(check, {"role": role})
    except NoAnswer:
        return False
    return bool(rows) and bool(next(iter(rows[0].values())))


def _spec(shelf: ProbeShelf, name: str, version: int) -> ProbeSpec | None:
    try:
        return shelf.spec(name, version)
    except Refusal:
        return None


def _quoted(name: str) -> str:
    return sql.Identifier(name).as_string()
