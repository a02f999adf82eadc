"""A certificate proves something for one text, in one environment, for a time; a later failure takes it back."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from ratchet.domain.certificate import Certificate, environment_of, no_proof
from ratchet.domain.standing import StandingGrant, Use
from tests.domain.test_gate import HERE, NOW, packet
from tests.domain.test_protocol import TARGET, standing


def certificate(**changes: Any) -> Certificate:
    """What a certification of the packet's text on the packet's own kind of server would issue."""
    fields = {
        "id": "cert_1", "series": "pbs_x", "version_id": "v1", "playbook_digest": "sha256:0", "issued_at": NOW,
        "expires_at": NOW + timedelta(days=30), "environment": environment_of(HERE.server_version),
        "faults": ("db-x",), "causes": ("x",), "seeds": (1, 2, 3), "passed": ("faults", "healthy"),
        "runs": ("a1b2c3d4",), **changes,
    }  # fmt: skip
    return Certificate.model_validate(fields)


def covered(*known: Certificate, now: Any = NOW, fault: str | None = None, cause: str | None = "x") -> str:
    """Why a standing grant that rests on `cert_1` does not cover the packet, or an empty text."""
    asked = packet()
    grant: StandingGrant = standing(asked, certificate="cert_1", expires_at=NOW + timedelta(days=60))
    use = Use(target=TARGET, registered_at=NOW, now=now, certificates=known, fault=fault, cause=cause)
    return grant.outside(asked, use)


def test_a_grant_that_rests_on_a_certificate_covers_while_that_counts() -> None:
    assert covered(certificate()) == ""
    assert covered(certificate(), now=NOW + timedelta(days=29)) == ""


@pytest.mark.parametrize(
    ("known", "word"),
    [
        ((), "certificate cert_1 is not known"),
        ((certificate(revoked="by user:ana"),), "it was revoked: by user:ana"),
        ((certificate(failed=("crash",)),), "it was not passed: crash"),
        ((certificate(passed=()),), "nothing was tried"),
        ((certificate(), certificate(id="cert_2", failed=("faults",), passed=())), "cert_2 came after it"),
        ((certificate(environment=environment_of(170002)),), "was given for postgres 17"),
        ((certificate(environment="postgres 15, ratchet 0.0.1"),), "was given for postgres 15, ratchet 0.0.1"),
        ((certificate(playbook_digest="sha256:9"),), "is for another text"),
    ],
)
def test_a_grant_is_dead_with_its_certificate(known: tuple[Certificate, ...], word: str) -> None:
    assert word in covered(*known)


def test_a_certificate_lets_nothing_be_done_for_a_fault_or_a_cause_that_was_not_tried() -> None:
    assert covered(certificate(), fault="db-x") == ""
    assert "without the fault db-y" in covered(certificate(), fault="db-y")
    assert "without the cause y" in covered(certificate(), cause="y")
    assert "without the cause none" in covered(certificate(), cause=None)
    assert "without the cause x" in covered(certificate(causes=()))


def test_a_grant_is_dead_at_the_very_moment_its_certificate_ends() -> None:
    ends = certificate().expires_at
    assert covered(certificate(), now=ends - timedelta(microseconds=1)) == ""
    assert "it expired at" in covered(certificate(), now=ends)


@pytest.mark.parametrize(
    "later",
    [
        {"environment": environment_of(170002)}, {"playbook_digest": "sha256:9"},
        {"issued_at": NOW - timedelta(days=1), "expires_at": NOW},
    ],
)  # fmt: skip
def test_a_failure_elsewhere_of_another_text_or_before_it_takes_nothing_back(later: dict[str, Any]) -> None:
    failure = certificate(**{"id": "cert_2", "failed": ("faults",), "passed": (), **later})
    assert no_proof("cert_1", (certificate(), failure), NOW) == ""


def test_a_certificate_that_passed_later_takes_nothing_back() -> None:
    assert no_proof("cert_1", (certificate(), certificate(id="cert_2")), NOW) == ""


@pytest.mark.parametrize(
    "wrong",
    [
        {"expires_at": NOW + timedelta(days=30, seconds=1)}, {"expires_at": NOW}, {"failed": ("healthy",)},
        {"runs": ()}, {"faults": ()}, {"seeds": ()}, {"environment": ""},
    ],
)  # fmt: skip
def test_what_is_no_certificate_cannot_be_written(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        certificate(**wrong)
