"""A certificate ends once its server runs under other settings than the ones it was given under."""

from datetime import UTC, datetime, timedelta

import pytest

from ratchet.domain.certificate import Certificate
from ratchet.lab.embedded import Cluster
from tests.nights.conftest import Night
from tests.tools.conftest import until

pytestmark = [pytest.mark.postgres, pytest.mark.night]
SERIES = "pbs_connection_triage"


def certificate(night: Night, name: str, target: str, settings: str) -> Certificate:
    """One of the active text, as it was just passed on that target."""
    active = night.house.store.series(SERIES).active
    assert active is not None
    now = datetime.now(UTC)
    return Certificate(
        id=name, series=SERIES, version_id=active.id, playbook_digest=active.digest, issued_at=now,
        expires_at=now + timedelta(days=1), environment="postgres 15, ratchet 0", faults=("db-max-connections",),
        seeds=(1,), passed=("faults",), runs=("run_1",), target=target, settings_hash=settings,
    )  # fmt: skip


def revoked(night: Night) -> dict[str, str]:
    return {one.id: one.revoked for one in night.house.store.certificates(SERIES)}


def test_a_certificate_ends_when_two_looks_in_a_row_see_the_same_other_settings(night: Night, server: Cluster) -> None:
    watch = night.house.settings_watch
    unsaid = certificate(night, "crt_unsaid", "shop-db", "")
    here = watch.seen(unsaid)
    assert here
    for name, target in (("crt_here", "shop-db"), ("crt_gone", "lab-that-is-gone")):
        night.house.store.put_certificate(certificate(night, name, target, here), "user:ana")
    night.house.store.put_certificate(unsaid, "user:ana")
    watch.round()
    watch.round()
    assert not any(revoked(night).values())
    with server.connect() as admin:
        admin.execute("ALTER SYSTEM SET lock_timeout = '7s'")
        admin.execute("SELECT pg_reload_conf()")
        until(lambda: watch.seen(unsaid) != here)
        watch.round()
        assert not any(revoked(night).values()), "a fault may be in effect before its alert is"
        watch.round()
        admin.execute("ALTER SYSTEM RESET lock_timeout")
        admin.execute("SELECT pg_reload_conf()")
    assert revoked(night) == {"crt_here": "the settings of shop-db are others now", "crt_gone": "", "crt_unsaid": ""}
