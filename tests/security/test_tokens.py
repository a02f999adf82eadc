"""Tokens: only the hash is kept, and only a known, unrevoked, unexpired one counts."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.domain.errors import Code, Refusal
from ratchet.domain.house import Token
from ratchet.security.tokens import check_token, hash_token, matches, principal_of, token_text

NOW = datetime(2026, 1, 31, tzinfo=UTC)
TEXT = token_text(bytes(range(32)))


def token(**more) -> Token:
    plain = {
        "id": "t",
        "name": "ana",
        "person": True,
        "role": "approver",
        "hashed": hash_token(TEXT),
        "created_at": NOW,
    }
    return Token.model_validate({**plain, **more})


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_a_token_holds_all_its_random_bytes(one, other):
    assert re.fullmatch(r"rtk_[A-Za-z0-9_-]{43}", token_text(one))
    assert (token_text(one) == token_text(other)) == (one == other)


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_token_is_not_made_of_fewer_or_more_bytes(length):
    with pytest.raises(ValueError, match="32"):
        token_text(bytes(length))


def test_the_hash_does_not_hold_the_token():
    assert TEXT not in hash_token(TEXT)
    assert matches(token(), TEXT)
    assert not matches(token(), TEXT + "x")


def test_a_good_token_stands_for_its_person_or_service():
    assert check_token(token(), TEXT, NOW) == token()
    assert principal_of(token(), "http").id == "user:ana"
    assert principal_of(token(person=False), "http").id == "service:ana"


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (None, TEXT), (token(), "rtk_other"), (token(), ""), (token(), "\udcff"), (token(revoked=True), TEXT),
        (token(expires_at=NOW), TEXT), (token(expires_at=NOW - timedelta(days=1)), TEXT),
    ],
)  # fmt: skip
def test_an_unknown_wrong_revoked_or_expired_token_is_refused_without_naming_it(found, text):
    with pytest.raises(Refusal) as refused:
        check_token(found, text, NOW)
    assert refused.value.code is Code.UNAUTHENTICATED
    assert TEXT not in str(refused.value)


def test_a_token_counts_until_the_moment_it_expires():
    assert check_token(token(expires_at=NOW + timedelta(microseconds=1)), TEXT, NOW)
