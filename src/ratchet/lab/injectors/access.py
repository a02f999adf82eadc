"""Failures of access: a rule that turns a role away, a diagnosis that was blinded."""

from psycopg import sql

from ratchet.lab.injectors.grip import Grip, NoArgs

DIAGNOSES = """SELECT m.rolname FROM pg_auth_members a JOIN pg_roles m ON m.oid = a.member
JOIN pg_roles g ON g.oid = a.roleid
WHERE g.rolname = 'pg_monitor' AND m.rolcanlogin AND NOT pg_has_role(m.oid, 'pg_signal_backend', 'MEMBER')"""


def _rule(grip: Grip) -> str:
    return f"host shop {grip.names.role} 127.0.0.1/32 reject\n"


def reject(grip: Grip, _args: NoArgs) -> None:
    """A line at the head of pg_hba.conf turns the fault's own role away."""
    path = grip.lab.primary.data_dir / "pg_hba.conf"
    path.write_text(_rule(grip) + path.read_text(encoding="utf-8"), encoding="utf-8")
    grip.lab.primary.reload()
    grip.point_at("file", "pg_hba.conf", str(path))


def admit_again(grip: Grip, _args: NoArgs) -> None:
    """Takes exactly our line out; the rest of the file stays as it is now."""
    path = grip.lab.primary.data_dir / "pg_hba.conf"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if line != _rule(grip)), encoding="utf-8")
    if grip.lab.primary.is_running():
        grip.lab.primary.reload()


def blind(grip: Grip, _args: NoArgs) -> None:
    """Takes pg_monitor from every login that only looks; counts over other roles' sessions are silently wrong then."""
    with grip.admin() as session:
        roles = [str(name) for (name,) in session.execute(DIAGNOSES).fetchall()]
        grip.keep("blinded", roles)
        for role in roles:
            session.execute(sql.SQL("REVOKE pg_monitor FROM {}").format(sql.Identifier(role)))


def let_see(grip: Grip, _args: NoArgs) -> None:
    roles = grip.must_know("blinded") or ()
    with grip.admin() as session:
        for role in roles:
            session.execute(sql.SQL("GRANT pg_monitor TO {}").format(sql.Identifier(role)))
