"""The table of permissions, written out once more by hand: who may do what, and nobody anything else."""

from itertools import pairwise, product

import pytest

from ratchet.domain.errors import Code, Refusal
from ratchet.domain.house import ROLES
from ratchet.security.principal import PERMISSIONS, RANK, Principal, may, require

KINDS = ("person", "service", "ratchet")
PERSON = {
    "viewer": {"read"},
    "operator": {"read", "operate", "ingest"},
    "approver": {"read", "operate", "ingest", "answer", "activate"},
    "admin": {"read", "operate", "ingest", "answer", "activate", "admin"},
    "source": {"ingest"},
}
NEVER_A_SERVICE = {"answer", "activate", "admin"}


def allowed(kind, role) -> set[str]:
    if kind == "ratchet":
        return {"read", "ingest", "operate"}
    return PERSON[role] - (NEVER_A_SERVICE if kind == "service" else set())


@pytest.mark.parametrize(("kind", "role"), list(product(KINDS, ROLES)))
def test_every_kind_and_role_may_exactly_what_the_table_says(kind, role):
    principal = Principal(kind=kind, name="ana", role=role, channel="http")
    assert {permission for permission in PERMISSIONS if may(principal, permission)} == allowed(kind, role)


@pytest.mark.parametrize(("kind", "role", "permission"), list(product(KINDS, ROLES, PERMISSIONS)))
def test_what_is_not_allowed_is_refused_with_a_remedy(kind, role, permission):
    principal = Principal(kind=kind, name="ana", role=role, channel="http")
    if permission in allowed(kind, role):
        require(principal, permission)
        return
    with pytest.raises(Refusal) as refused:
        require(principal, permission)
    assert refused.value.code is Code.FORBIDDEN
    assert principal.id in refused.value.message
    assert refused.value.remedy


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("permission", ["", "ADMIN", "approve", "read ", "*"])
def test_a_permission_outside_the_table_is_denied_to_everybody(kind, permission):
    principal = Principal(kind=kind, name="ana", role="admin", channel="http")
    assert not may(principal, permission)
    with pytest.raises(Refusal):
        require(principal, permission)


def test_a_higher_rank_may_all_that_a_lower_one_may():
    ranked = sorted(RANK, key=lambda role: RANK[role])
    for lower, higher in pairwise(ranked):
        assert PERSON[lower] <= PERSON[higher]
    assert ranked == ["viewer", "operator", "approver", "admin"]


def test_the_remedy_names_the_least_role_that_suffices():
    viewer = Principal(kind="person", name="ana", role="viewer", channel="http")
    with pytest.raises(Refusal, match="--role approver"):
        require(viewer, "answer")


@pytest.mark.parametrize(
    ("kind", "name", "shown"),
    [("person", "ana", "user:ana"), ("service", "alertmanager", "service:alertmanager"), ("ratchet", "", "ratchet")],
)
def test_a_principal_has_one_id(kind, name, shown):
    assert Principal(kind=kind, name=name, role="viewer", channel="cli").id == shown
