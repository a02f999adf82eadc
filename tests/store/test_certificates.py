"""Certificates stand in the chain, are kept once, and what is written past the chain is found."""

import sqlite3
from contextlib import closing

import pytest

from ratchet.domain.errors import Code, Refusal
from tests.domain.test_certificate import certificate


def test_a_certificate_is_kept_listed_by_series_and_revoked_once(store):
    store.put_certificate(certificate(), "ratchet")
    store.put_certificate(certificate(id="cert_2", series="pbs_y"), "ratchet")
    assert [one.id for one in store.certificates("pbs_x")] == ["cert_1"]
    assert {one.id for one in store.certificates()} == {"cert_1", "cert_2"}
    for because in ("the lab was broken", "again"):
        store.revoke_certificate("cert_1", because, "user:ana")
    assert store.certificates("pbs_x")[0].revoked == "the lab was broken"
    assert (store.verify().ok, store.verify().events) == (True, 3)


def test_the_same_certificate_twice_is_a_conflict_and_an_unknown_one_is_not_revoked(store):
    store.put_certificate(certificate(), "ratchet")
    for verb, code in (
        (lambda: store.put_certificate(certificate(), "ratchet"), Code.CONFLICT),
        (lambda: store.revoke_certificate("cert_9", "x", "user:ana"), Code.NOT_FOUND),
    ):
        with pytest.raises(Refusal) as refused:
            verb()
        assert refused.value.code is code
    assert store.verify().events == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE certificates SET body = replace(body, '\"failed\":[\"crash\"]', '\"failed\":[]')",
        "UPDATE certificates SET series = 'pbs_other'", "DELETE FROM certificates",
        "INSERT INTO certificates SELECT tenant, 'cert_9', series, issued_at, replace(body, 'cert_1', 'cert_9')"
        " FROM certificates",
    ],
)  # fmt: skip
def test_a_certificate_written_past_the_chain_is_found(store, home, statement):
    store.put_certificate(certificate(failed=("crash",)), "ratchet")
    assert store.verify().ok
    with closing(sqlite3.connect(home / "ratchet.db")) as file, file:
        assert file.execute(statement).rowcount == 1
    report = store.verify()
    assert not report.ok and "certificates" in report.because
