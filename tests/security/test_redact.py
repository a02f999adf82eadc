"""Secrets do not get through in any spelling; what merely looks odd does."""

import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.security import redact
from ratchet.security.redact import WITHHELD, Redactor
from ratchet.security.secrets import Secret

KEY = b"the key of this test"
PASSWORD = "p@ss/w\"ö rd'?"
KNOWN = f"postgresql://ratchet:{quote(PASSWORD, safe='')}@db1:5432/shop"
redactor = Redactor([Secret(KNOWN)], KEY)
rules = Redactor([], KEY)


@pytest.mark.parametrize(
    "text",
    [
        PASSWORD, KNOWN, quote(PASSWORD), quote(PASSWORD, safe=""), quote_plus(PASSWORD), json.dumps({"p": PASSWORD}),
        json.dumps(PASSWORD, ensure_ascii=False), PASSWORD.replace("'", "''"), PASSWORD.encode().hex(),
        PASSWORD.encode().hex().upper(), base64.b64encode(PASSWORD.encode()).decode(),
    ],
)  # fmt: skip
def test_a_secret_that_we_hold_is_found_in_every_spelling(text):
    shown = redactor.text(f"before {text} after")
    assert text not in shown
    assert shown.startswith("before ")
    assert shown.endswith(" after")
    assert "[secret:" in shown


@given(
    st.binary(max_size=7),
    st.text(min_size=6, max_size=40, alphabet=st.characters(codec="utf-8")),
    st.binary(max_size=7),
)
def test_a_secret_inside_encoded_bytes_is_found_at_any_offset(before, secret, after):
    raw = secret.encode()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        shown = Redactor([Secret(secret)], KEY).text(encode(before + raw + after).decode())
        assert "[secret:" in shown


@given(st.text(min_size=4, max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_a_secret_that_we_hold_is_never_left_standing(secret, before, after):
    shown = Redactor([Secret(secret)], KEY).redact({"a": [before + secret + after]})
    assert isinstance(shown, dict)
    text = shown["a"][0]
    assert secret not in text or secret in "[secret:0123456789abcdef][withheld]"


def test_the_same_secret_reads_the_same_in_every_spelling_and_under_one_key_only():
    once, again = redactor.text(PASSWORD), redactor.text(quote(PASSWORD, safe=""))
    assert once == again == redactor.text(PASSWORD)
    assert once != Redactor([Secret(KNOWN)], b"another key").text(PASSWORD)


SHAPES = [
    ("postgres://ana:hunter2@db1/shop", "hunter2"),
    ("amqp://ana:hun@ter2@mq:5672", "hun@ter2"),
    ("https://x:hunter2@git.example/x.git?a=b", "hunter2"),
    ("host=db1 password=hunter2 dbname=shop", "hunter2"),
    ("password = 'hunter two'", "hunter two"),
    ('"password": "hunter two"', "hunter two"),
    ("PGPASSWORD=hunter2 psql -h db1", "hunter2"),
    ("db_password: hunter2", "hunter2"),
    ("passwd=" + "x" * 700 + " tail", "x" * 20),
    ("ALTER ROLE ana PASSWORD 'hunt''er2' LOGIN", "er2"),
    ("CREATE USER ana WITH ENCRYPTED PASSWORD E'hunter2';", "hunter2"),
    ("grant all identified by 'hunter2'", "hunter2"),
    ("SCRAM-SHA-256$4096:c2FsdHNhbHQ=$c3RvcmVka2V5:c2VydmVya2V5", "c3RvcmVka2V5"),
    ("md5" + "0123456789abcdef" * 2, "0123456789abcdef"),
    ("Authorization: Bearer abcDEF123456.789_xyz", "abcDEF123456"),
    ("curl -H 'Authorization: Basic dXNlcjpodW50ZXIyMg=='", "dXNlcjpodW50ZXIyMg"),
    ("authorization=token ghp_abcdefghijklmnop", "ghp_abcdefghijklmnop"),
    ("key AKIAIOSFODNN7EXAMPLE used", "AKIAIOSFODNN7EXAMPLE"),
    ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalrXUtnFEMI"),
    ("t=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N", "eyJzdWIi"),
    ("rtk_" + "a1B2" * 10 + "xyz", "a1B2"),
    ("api_key=hunter2&x=1", "hunter2"),
    ("client_secret: hunter2", "hunter2"),
    ("access-key => hunter2", "hunter2"),
    ('{"token": "hunter2"}', "hunter2"),
    ("token=hunter2", "hunter2"),
    ("db1:5432:shop:ana:hunter2", "hunter2"),
    ("*:*:*:ana:hun\\:ter2", "ter2"),
    ("-----BEGIN PRIVATE KEY-----\nMIIEvQ\nIBADAN\n-----END PRIVATE KEY-----", "IBADAN"),
    ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1r\n(cut)", "b3BlbnNzaC1r"),
    ("first line\nhost=db1 password=hunter2\nlast line", "hunter2"),
]


@pytest.mark.parametrize(("text", "secret"), SHAPES)
def test_the_shape_of_a_secret_gives_it_away(text, secret):
    shown = rules.text(text)
    assert secret not in shown
    assert "[secret:" in shown


@pytest.mark.parametrize("text", [text for text, _ in SHAPES])
def test_what_was_redacted_once_stays_as_it_is(text):
    once = rules.text(text)
    assert rules.text(once) == once


@pytest.mark.parametrize(
    "text",
    [
        "a81bc81b-dead-4e5d-abff-90865d1e13b1", "16/B374D848", "0/3000148", "301c80439bd0ed2b2b5ac0c9d9c7d8a5b1e6f7a8",
        "sha256:" + "ab12" * 16, "pid 4711 backend_start 2026-01-31 02:00:00.123456+00", "ana@example.com",
        "password authentication failed for user \"ana\"", "password_encryption = scram-sha-256",
        "duplicate key value violates unique constraint \"orders_pkey\"", "Key (id)=(42) already exists.",
        "syntax error at or near token: SELECT", "http://grafana:3000/d/abc?orgId=1", "postgres://ana@db1:5432/shop",
        "2001:db8::1", "00:1a:2b:3c:4d:5e", "12:34:56:78:90:ab:cd", "select md5('x')",
        "d41d8cd98f00b204e9800998ecf8427e",
        "SELECT * FROM tokens WHERE id = $1", "basic configuration error",
        "pg_hba.conf line 90: host all all scram-sha-256",
        "primary_conninfo: user=replicator host=db1", "ev_0123456789abcdef01234567", "compass=north", "INC-1",
        "D-01J9ZQ8T6Y3M", "max_connections = 100", "{\"key\": \"value\"}", "bypass: none", "bearer of bad news",
    ],
)  # fmt: skip
def test_what_only_looks_odd_survives(text):
    assert rules.text(text) == text
    assert redactor.redact({"query": text}) == {"query": text}


def test_rows_keep_their_shape_and_their_numbers():
    row = {"pid": 4711, "share": 0.5, "ok": True, "none": None, "tags": ["a", {"query": "password=hunter2"}]}
    shown = rules.redact([row])
    assert isinstance(shown, list)
    assert shown[0] | {"tags": 0} == row | {"tags": 0}
    assert "hunter2" not in str(shown)


@pytest.mark.parametrize(
    "key", ["password", "rolpassword", "passwd", "api_key", "client_secret", "Access-Token", "PGPASSWORD"]
)
def test_a_column_of_secrets_is_hidden_whatever_it_holds(key):
    shown = rules.redact({key: "swordfish", "name": "swordfish"})
    assert isinstance(shown, dict)
    assert "swordfish" not in shown[key]
    assert shown["name"] == "swordfish"
    assert rules.redact(shown) == shown


def test_a_secret_as_a_key_is_hidden_too():
    shown = redactor.redact({PASSWORD: 1, "deep": {f"x {PASSWORD}": 2}})
    assert isinstance(shown, dict)
    assert not [key for key in (*shown, *shown["deep"]) if PASSWORD in key]


def test_what_fails_is_withheld_not_let_through(monkeypatch):
    def broken(_):
        raise RecursionError

    monkeypatch.setattr(redact.Redactor, "_line", lambda self, line: broken(line))
    assert rules.redact({"a": "password=hunter2", "n": 1}) == {"a": WITHHELD, "n": 1}


@pytest.mark.parametrize("value", [b"hunter2", {1, 2}, object()])
def test_what_is_not_json_is_withheld(value):
    assert rules.redact({"a": value}) == {"a": WITHHELD}


def test_endless_nesting_is_withheld():
    nested: object = "password=hunter2"
    for _ in range(5000):
        nested = [nested]
    assert "hunter2" not in str(rules.redact(nested))


def test_the_end_of_an_endless_line_is_withheld():
    shown = rules.text("x" * 20_000 + " password=hunter2")
    assert "hunter2" not in shown
    assert "withheld" in shown


@pytest.mark.parametrize(
    "evil",
    [
        "password", "://", "a:", "://a:b", "bearer ", "eyJ", "-eyJaaaaaaaa", "eyJaaaaaaaaa.", "password =",
        "password='",
        "identified by '", "-----BEGIN PRIVATE KEY-----", "authorization:a  ", "SCRAM-SHA-256$1:a", "md5", "token=\"",
        "secret_", "\\\\:", "secret:[",
    ],
)  # fmt: skip
def test_no_input_keeps_it_busy_for_ever(evil):
    # What takes more than linear time would need hours for these, and the limit of every test ends it.
    assert rules.text((evil * 70_000)[:200_000])
    assert rules.text((f"{evil}\n" * 70_000)[:200_000])


def test_a_short_secret_does_not_destroy_the_evidence():
    assert Redactor([Secret("a")], KEY).text("a table with a name") == "a table with a name"
