"""A link covers the one before it and every byte, and cannot be made without the key."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.domain.errors import Refusal
from ratchet.security.chain import GENESIS, link, make_key, read_key, same

KEY = bytes(range(32))
links = st.binary(min_size=32, max_size=32)


@given(links, st.binary(max_size=50), links, st.binary(max_size=50))
def test_different_inputs_have_different_links(before, stored, other_before, other_stored):
    one, other = link(KEY, before, stored), link(KEY, other_before, other_stored)
    assert same(one, other) == ((before, stored) == (other_before, other_stored))
    assert len(one) == 32


def test_without_the_key_the_link_is_another():
    assert not same(link(KEY, GENESIS, b"x"), link(bytes(32), GENESIS, b"x"))


@pytest.mark.parametrize("length", [0, 31, 33])
def test_what_is_no_link_cannot_be_continued(length):
    with pytest.raises(ValueError, match="32"):
        link(KEY, bytes(length), b"x")


def test_the_key_is_made_once_and_for_its_owner_only(tmp_path):
    path = tmp_path / "key"
    assert make_key(path, lambda n: b"k" * n) == b"k" * 32
    assert make_key(path, lambda n: b"x" * n) == b"k" * 32
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_key_that_others_could_read_or_that_is_cut_is_refused(tmp_path):
    path = tmp_path / "key"
    make_key(path, lambda n: b"k" * n)
    path.chmod(0o644)
    with pytest.raises(Refusal, match="chmod 600"):
        read_key(path)
    path.chmod(0o600)
    path.write_bytes(b"short")
    with pytest.raises(Refusal, match="not 32"):
        read_key(path)
