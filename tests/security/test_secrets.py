"""Secrets are found by reference and shown by nothing but `reveal`."""

import copy
import json
import pickle
import traceback

import pytest
from pydantic import BaseModel, ValidationError

from ratchet.domain.errors import Code, Refusal
from ratchet.domain.target import SecretRef
from ratchet.security.private_file import read_private, replace_private, write_private
from ratchet.security.secrets import Secret, resolve

PLAIN = "host=db1 password=hunter2"


class Holder(BaseModel):
    secret: Secret


@pytest.mark.parametrize(
    "show",
    [
        str, repr, lambda s: f"{s}", lambda s: f"{s!r:>40}", "{:>20}".format, lambda s: str([s]),
        lambda s: str({"a": s}), lambda s: repr(Holder(secret=s)), lambda s: Holder(secret=s).model_dump_json(),
        lambda s: str(Holder(secret=s).model_dump()), lambda s: str(Holder(secret=s).model_dump(mode="json")),
        lambda s: str(vars(type(s))), lambda s: repr(copy.deepcopy(s)),
    ],
)  # fmt: skip
def test_no_way_of_showing_a_secret_shows_it(show):
    assert "hunter2" not in show(Secret(PLAIN))


def test_a_secret_is_not_pickled_and_not_json():
    with pytest.raises(TypeError):
        pickle.dumps(Secret(PLAIN))
    with pytest.raises(TypeError):
        json.dumps(Secret(PLAIN))


def test_a_validation_error_does_not_show_it():
    with pytest.raises(ValidationError) as failed:
        Holder.model_validate({"secret": Secret(PLAIN), "more": 1, "secret2": 2} | {"secret": [Secret(PLAIN)]})
    assert "hunter2" not in str(failed.value)


def test_only_reveal_reveals():
    assert Secret(PLAIN).reveal() == PLAIN
    assert Secret(PLAIN) == Secret(PLAIN) != Secret("x")
    assert copy.copy(Secret(PLAIN)).reveal() == PLAIN


def never(_):
    raise AssertionError("no file is read for this")


def test_a_variable_is_read_when_asked():
    assert resolve(SecretRef(kind="env", name="DIAG"), {"DIAG": PLAIN}, never).reveal() == PLAIN


@pytest.mark.parametrize("environ", [{}, {"DIAG": ""}, {"diag": PLAIN}])
def test_a_missing_variable_is_refused_by_name(environ):
    with pytest.raises(Refusal, match="DIAG") as refused:
        resolve(SecretRef(kind="env", name="DIAG"), environ, never)
    assert refused.value.code is Code.INVALID


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_private_file_is_read(tmp_path, mode):
    path = tmp_path / "dsn"
    path.write_text(PLAIN + "\n", encoding="utf-8")
    path.chmod(mode)
    assert resolve(SecretRef(kind="file", name=str(path)), {}, read_private).reveal() == PLAIN


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o660, 0o604, 0o602, 0o700])
def test_a_file_that_others_may_read_is_refused_and_says_chmod(tmp_path, mode):
    path = tmp_path / "dsn"
    path.write_text(PLAIN, encoding="utf-8")
    path.chmod(mode)
    with pytest.raises(Refusal) as refused:
        resolve(SecretRef(kind="file", name=str(path)), {}, read_private)
    assert f"chmod 600 {path}" in refused.value.remedy
    assert "hunter2" not in str(refused.value)


def test_a_missing_or_empty_file_is_refused(tmp_path):
    with pytest.raises(Refusal, match="cannot be read"):
        resolve(SecretRef(kind="file", name=str(tmp_path / "none")), {}, read_private)
    write_private(tmp_path / "empty", b"\n")
    with pytest.raises(Refusal, match="empty"):
        resolve(SecretRef(kind="file", name=str(tmp_path / "empty")), {}, read_private)


def test_pgpass_is_left_to_libpq():
    ref = SecretRef(kind="pgpass", name="host=db1 dbname=shop user=diag")
    assert resolve(ref, {}, never).reveal() == ref.name


@pytest.mark.parametrize(
    "name",
    [
        "host=db1 password=hunter2",
        "PASSWORD = 'hunter2'",
        "postgres://u:hunter2@db1/shop",
        "postgres://u:@db1?password=hunter2",
    ],
)
def test_a_password_in_a_pgpass_reference_is_refused_unseen(name):
    with pytest.raises(Refusal) as refused:
        resolve(SecretRef(kind="pgpass", name=name), {}, never)
    assert "hunter2" not in str(refused.value)
    assert "hunter2" not in "".join(traceback.format_exception(refused.value))


def test_a_private_file_is_made_once_and_replaced_whole(tmp_path):
    path = tmp_path / "key"
    write_private(path, b"one")
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        write_private(path, b"two")
    assert path.read_bytes() == b"one"
    replace_private(path, b"three")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"three", 0o600)
    assert [one.name for one in tmp_path.iterdir()] == ["key"]
