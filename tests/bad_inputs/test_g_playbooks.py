"""Family G: playbook texts that want to be more than text. Each is a list of mistakes, and a draft stays a draft."""

from typing import Any

import pytest

from ratchet.domain.series import VersionDrafted
from ratchet.vault.canonical import text_digest
from tests.bad_inputs.conftest import Door

ACTIVE = "/api/v1/fleet/playbooks/pbs_connection_triage"


@pytest.fixture(scope="module")
def text(door: Door) -> str:
    """A sound text: one that ships."""
    return door.send("GET", ACTIVE, "vic").json()["text"]


def lint(door: Door, text: str) -> list[dict[str, Any]]:
    answer = door.send("POST", "/api/v1/playbooks/lint", "vic", json={"text": text})
    assert answer.status_code == 200, answer.text[:300]
    return answer.json()["mistakes"]


def test_the_text_that_is_spoilt_below_is_sound(door: Door, text: str):
    assert [m for m in lint(door, text) if m["code"] != "PB023"] == lint(door, text)
    assert "disruptive" in text


@pytest.mark.parametrize(
    "line",
    [
        "is_active: true", "approved_by: user:ana", "approved: true", "state: active", "activated_at: 2026-01-01",
        "ai_executable: 7", "digest: sha256:0", "auto_approve: yes", "standing: sg_1",
    ],
)  # fmt: skip
@pytest.mark.parametrize("place", ["", "spec"])
def test_g1_a_text_cannot_say_that_it_is_active_or_approved(door: Door, text: str, place: str, line: str):
    spoilt = f"{text}\n{line}\n" if not place else text.replace("\nspec:\n", f"\nspec:\n  {line}\n", 1)
    assert spoilt != text
    assert lint(door, spoilt)


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    "bad",
    [
        BOMB, "&a [*a]", "a: &a {b: *a}", "[" * 20_000, "{a: " * 20_000, "- " * 20_000, "a:\n" * 20_000, "? " * 5000,
        "!!python/object/apply:os.system ['id']", "a: !!python/object:os.system x", "!!python/name:os.system",
        "a: !<tag:evil,2000:x> y", "%TAG ! tag:evil:\n---\n!x y", "<<: *nobody", "a: &x {b: 1}\nc: {<<: *x}",
        "\x00", "a: \x1b[2J", "\ufeffa: 1", "\u202ea: 1", "a: \u2028b", "---\na: 1\n---\nb: 2", "...", "", " ", "#", "\t",  # noqa: E501
        "a: 0x" + "f" * 100_000, "a: " + "9" * 100_000, "a: 0o" + "7" * 100_000, "a: 1e999", "a: .inf", "a: .nan",
        "a: 2026-99-99", "a: 12:30:45", "a: " + "x" * 300_000, "a: 1\na: 2", "? [a]\n: b", "null", "[]", "7", "*x", "|", ">",  # noqa: E501
    ],
)  # fmt: skip
def test_a_yaml_bomb_is_a_mistake(door: Door, bad: str):
    assert lint(door, bad)


@pytest.mark.parametrize(
    "number", ["1e999", "-1e999", "0x" + "f" * 6000, "0o" + "7" * 6000, "9" * 30, "9" * 6000, "-1", "1e-400"]
)
@pytest.mark.parametrize("key", ["cap", "likelihood", "quorum", "limit"])
def test_a_number_out_of_all_bounds_is_a_mistake_on_its_line(door: Door, text: str, key: str, number: str):
    head, mark, rest = text.partition(f" {key}: ")
    if not mark:
        head, mark, rest = text.partition(" likelihood: ")
    spoilt = head + mark + number + "\n" + rest.partition("\n")[2]
    found = lint(door, spoilt)
    if number != "1e-400":
        assert found
        assert all(len(mistake["message"]) < 2000 for mistake in found)


@pytest.mark.parametrize(
    "tool",
    [
        "postgres.t\u0435rminate_sessions", "postgres.terminate_sessions\u200b", "Postgres.Terminate_Sessions", "shell",
        "exec", "sql", "postgres.terminate_sessions; rm", "../terminate_sessions", "postgres.slots", "", "'*'",
        "'{{ params.tool }}'",
    ],
)  # fmt: skip
def test_g5_a_step_names_a_registered_tool_letter_for_letter(door: Door, text: str, tool: str):
    spoilt = text.replace("uses: postgres.terminate_sessions", f"uses: {tool}", 1)
    if spoilt == text:
        spoilt = text.replace("capability: ", f"uses: {tool}\n      capability: ", 1)
    assert spoilt != text
    assert any(m["code"] in ("PB010", "PB019", "PB001") for m in lint(door, spoilt))


@pytest.mark.parametrize("tool", ["postgres.terminate_sessions", "postgres.drop_slot", "postgres.reset_setting"])
def test_a_probe_that_names_a_write_tool_is_a_mistake(door: Door, text: str, tool: str):
    spoilt = text.replace("uses: postgres.slots", f"uses: {tool}", 1)
    assert spoilt != text
    assert any(m["code"] == "PB014" for m in lint(door, spoilt))


@pytest.mark.parametrize(
    "condition",
    [
        "(" * 5000 + "true" + ")" * 5000, "not " * 5000 + "true", "1" + " + 1" * 50_000, "'" + "a" * 100_000 + "' == 'a'",  # noqa: E501
        "__import__('os').system('id')", "().__class__.__bases__", "slots.first.__class__", "lambda: 1", "9 ** 9 ** 9",
        "matches('a', '(a+)+$')", "true; true", "{{ params.x }}", "slots.rows >", "\u202etrue", "true\x00",
    ],
)  # fmt: skip
def test_a_condition_that_is_a_bomb_or_code_is_a_mistake(door: Door, text: str, condition: str):
    head, mark, rest = text.partition("require: ")
    spoilt = head + mark + "'" + condition.replace("'", "''") + "'\n" + rest.partition("\n")[2]
    assert lint(door, spoilt)


@pytest.mark.parametrize("effect", ["read", "none", "destructive!", "[disruptive]"])
def test_an_effect_below_the_tools_own_is_a_mistake(door: Door, text: str, effect: str):
    assert lint(door, text.replace("effect: disruptive", f"effect: {effect}", 1))


@pytest.mark.parametrize(
    "reference",
    ["../../etc/passwd", "%2e%2e%2fetc%2fpasswd", "pbs_x@../1.0", "pbs_x@1.0%00", "file:%2f%2f%2fetc", "x" * 4096],
)
def test_a_playbooks_name_is_never_a_path(door: Door, reference: str):
    for path in ("/api/v1/fleet/playbooks/", "/api/v1/playbooks/"):
        for tail in ("", "/render"):
            assert door.send("GET", f"{path}{reference}{tail}", "vic").status_code in (400, 404, 405)


@pytest.mark.parametrize("change", [{"guidance": "x"}, {"owner": "user:eve"}, {"text": "x"}, {"source": "system"}])
def test_an_active_text_is_not_edited_by_anybody(door: Door, change: dict[str, str]):
    one = door.send("GET", ACTIVE, "vic").json()
    answer = door.send("PUT", f"/api/v1/fleet/playbooks/{one['id']}", "ana", json=change)
    assert answer.status_code in (400, 409)
    assert door.send("GET", ACTIVE, "vic").json()["digest"] == one["digest"]


@pytest.fixture(scope="module")
def draft(door: Door) -> dict[str, Any]:
    """A draft of the series, as an incident would have left it."""
    found = door.house.store.series("pbs_connection_triage")
    active = next(version for version in found.versions if version.id == door.send("GET", ACTIVE, "vic").json()["id"])
    text = active.text.replace('version: "1.0"', 'version: "7.7"', 1)
    made = active.model_copy(
        update={"id": "pb_incident_bad001", "version": "7.7", "source": "generated", "text": text,
                "digest": text_digest(text), "incident": "INC-1", "state": "draft"}
    )  # fmt: skip
    door.house.store.commit_series(found, VersionDrafted(version=made), by="ratchet")
    return door.send("GET", f"/api/v1/fleet/playbooks/{made.id}", "vic").json()


SPOILT: dict[str, tuple[str, str]] = {
    "another series": ("series: pbs_connection_triage", "series: pbs_vacuum_triage"),
    "guidance beyond 256 KB": ("guidance: ", f"guidance: '{'x' * 262_144}'\n  was: "),
    "a tool with a letter of another script": (
        "uses: postgres.terminate_sessions",
        "uses: postgres.t\u0435rminate_sessions",
    ),
    "a key that stands twice": ("spec:\n", "spec:\n  symptoms: [one of them]\n"),
    "an alias bomb": ("spec:\n", f"{BOMB}spec:\n"),
    "an anchor in itself": ("spec:\n", "x: &a [*a]\nspec:\n"),
}


@pytest.mark.parametrize("way", SPOILT)
def test_a_draft_edited_into_something_else_is_refused_in_words_of_its_own(
    door: Door, draft: dict[str, Any], way: str
) -> None:
    old, new = SPOILT[way]
    spoilt = draft["text"].replace(old, new, 1)
    assert spoilt != draft["text"]
    answer = door.send("PUT", f"/api/v1/fleet/playbooks/{draft['id']}", "ana", json={"text": spoilt})
    assert answer.status_code in (400, 409, 413, 422), answer.text[:300]
    said = answer.json()
    assert SAID[way] in answer.text, (way, said)
    now = door.send("GET", f"/api/v1/fleet/playbooks/{draft['id']}", "vic").json()
    assert (now["digest"], now["revision"]) == (draft["digest"], draft["revision"])


SAID = {
    "another series": "series", "guidance beyond 256 KB": "256",
    "a tool with a letter of another script": "t\u0435rminate_sessions", "a key that stands twice": "stands twice",
    "an alias bomb": "too large", "an anchor in itself": "too large",
}  # fmt: skip


def test_the_record_of_everything_above_still_holds(door: Door):
    assert door.house.store.verify().ok
