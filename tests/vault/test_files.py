"""Reading playbook files: every mistake at once, with its line and what to do."""

from pathlib import Path

import pytest

from ratchet.domain.errors import Code, Mistake, Refusal
from ratchet.domain.lines import MAX_BYTES
from ratchet.vault.files import PlaybookFiles
from ratchet.vault.seeding import shipped_texts

HERE = Path(__file__).parent
IDLE = "min_idle_s: '{{ params.min_idle | seconds }}'"
SHIPPED = shipped_texts()["pbs_connection_triage.playbook.yaml"]


def refused(files: PlaybookFiles, text: str) -> tuple[Mistake, ...]:
    with pytest.raises(Refusal) as caught:
        files.load(text, "some.yaml")
    assert caught.value.code is Code.INVALID
    return caught.value.mistakes


def test_a_file_with_many_different_mistakes_shows_all_at_once(playbook_files: PlaybookFiles) -> None:
    text = (HERE / "ten_mistakes.playbook.yaml").read_text()
    lines = text.splitlines()
    found = refused(playbook_files, text)
    said = {(m.code, lines[m.line - 1].strip().split(":")[0].lstrip("- {")) for m in found if m.line}
    assert said >= {
        ("PB001", "version"),
        ("PB002", "title"),
        ("PB001", "onwer"),
        ("PB004", "owner"),
        ("PB010", "slots"),
        ("PB001", "holders"),
        ("PB010", "cause"),
        ("PB010", "confirm"),
        ("PB001", "refute"),
        ("PB010", "then"),
        ("PB011", "refute"),
        ("PB012", "hypotheses"),
        ("PB001", "args"),
        ("PB015", "effect"),
        ("PB018", "rollback"),
        ("PB001", "steps"),
        ("PB021", "verify"),
        ("PB025", "escalation"),
    }
    assert ("PB023" in {m.code for m in found}) is True
    assert all(m.line and m.remedy and m.message for m in found)


def test_the_nearest_word_is_offered_for_what_is_misspelt(playbook_files: PlaybookFiles) -> None:
    found = refused(playbook_files, (HERE / "ten_mistakes.playbook.yaml").read_text())
    offered = " ".join(m.remedy for m in found)
    for word in ("owner", "postgres.slots", "connection_exhaustion_idle_leak", "idle", "end_sessions", "application"):
        assert word in offered


@pytest.mark.parametrize(
    ("wrong", "right", "code", "part"),
    [
        ("uses: postgres.slots", "uses: postgres.terminate_sessions", "PB014", "write tool"),
        ("uses: postgres.terminate_sessions", "uses: postgres.slots", "PB010", "read probe"),
        (
            "min_idle_s: '{{ params.min_idle | seconds }}'",
            "min_idle_s: '{{ params.idle | seconds }}'",
            "PB010",
            "nowhere",
        ),
        (
            "min_idle_s: '{{ params.min_idle | seconds }}'",
            "min_idle_s: '{{ params.min_idle | hours }}'",
            "PB010",
            "filter",
        ),
        ("application: '{{ objects.application.id }}'", "application: '{{ objects.table.id }}'", "PB010", "nowhere"),
        ("state: idle\n", "state: sleeping\n", "PB001", "argument"),
        ("require: preview.rows >= 1\n", "require: slots.first.used >= 1\n", "PB010", "slots"),
        ("kind: alert", "kind: alarm", "PB001", "alarm"),
        ("likelihood: 0.2\n", "likelihood: lots\n", "PB001", "likelihood"),
        ("expect: ping.first.can_see_others", "expect: ping.first.can_see_other", "PB010", "can_see_other"),
        ("o.idle >= 5 and o.idle", "o.idel >= 5 and o.idle", "PB010", "idel"),
    ],
)
def test_what_is_not_registered_or_declared_refuses_the_file(
    playbook_files: PlaybookFiles, wrong: str, right: str, code: str, part: str
) -> None:
    assert wrong in SHIPPED
    text = SHIPPED.replace(wrong, right, 1)
    found = refused(playbook_files, text)
    assert [m for m in found if m.code == code and (part in m.message or part in m.remedy)], found


def test_a_duplicate_key_is_a_mistake_on_its_second_line(playbook_files: PlaybookFiles) -> None:
    found = refused(playbook_files, SHIPPED + "kind: Playbook\n")
    assert [m.line for m in found if "stands twice" in m.message] == [len(SHIPPED.splitlines()) + 1]


def test_yaml_that_cannot_be_read_names_the_line(playbook_files: PlaybookFiles) -> None:
    found = refused(playbook_files, "apiVersion: ratchet/v1\nkind: [Playbook\nspec: {}\n")
    assert [m.code for m in found] == ["PB001"]
    assert found[0].line in (2, 3)


def test_aliases_cannot_unfold_without_bound(playbook_files: PlaybookFiles) -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for n in range(1, 9):
        bomb += f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n"
    found = refused(playbook_files, bomb)
    assert "too large" in found[0].message


@pytest.mark.parametrize("opener", ["[", "{", "- ", "? ", "{a: ", "[&x "])
def test_what_only_opens_is_given_up_where_no_playbook_goes(opener: str, playbook_files: PlaybookFiles) -> None:
    """libyaml alone would look at every open bracket again for each new one, and then leave the stack."""
    (mistake,) = playbook_files.mistakes(opener * (200_000 // len(opener)), "deep")
    assert mistake.message == "the file is too large: nested too deeply"


@pytest.mark.parametrize("end", ["\x85", "\u2028", "\u2029"])
def test_a_comment_cannot_end_where_no_editor_shows_it(end: str, playbook_files: PlaybookFiles) -> None:
    (mistake,) = playbook_files.mistakes(f"apiVersion: ratchet/v1\n# quiet{end}kind: Playbook\n", "x")
    assert (mistake.line, "hides in the text" in mistake.message) == (2, True)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a: *b\n", 1, "found undefined alias 'b'"), ("a: 1\n---\nb: 2\n", 2, "another document"),
        ("a:\n\t- b\n", 2, "found character '\\t' that cannot start any token"), ("a: b: c\n", 1, "not allowed"),
    ],
)  # fmt: skip
def test_what_is_no_yaml_is_said_at_its_line(text: str, line: int, said: str, playbook_files: PlaybookFiles) -> None:
    (mistake,) = playbook_files.mistakes(text, "x")
    assert mistake.line == line
    assert said in mistake.message


def test_an_alias_to_itself_and_deep_nesting_end_in_a_mistake(playbook_files: PlaybookFiles) -> None:
    for text in ("a: &a [*a]\n", "[" * 5000 + "]" * 5000):
        assert refused(playbook_files, text)


def test_a_file_that_is_too_long_is_not_read(playbook_files: PlaybookFiles) -> None:
    assert "KB" in refused(playbook_files, "# " + "x" * MAX_BYTES)[0].message


@pytest.mark.parametrize("text", ["", "null", "[]", "just words", "!!python/object:os.system {}", "- - -"])
def test_what_is_no_playbook_at_all_is_refused_without_a_crash(playbook_files: PlaybookFiles, text: str) -> None:
    assert refused(playbook_files, text)


def test_yaml_12_keeps_words_that_older_readers_took_for_switches(playbook_files: PlaybookFiles) -> None:
    text = SHIPPED.replace("- too_many_placeholder", "").replace("via:\n", "via:\n      - on\n      - 1_000\n", 1)
    assert playbook_files.load(text, "some.yaml").spec.escalation.via[:2] == ("on", "1_000")


def test_anchors_may_be_used_when_writing(playbook_files: PlaybookFiles) -> None:
    text = SHIPPED.replace("ping:\n      uses: postgres.ping", "ping: &p\n      uses: postgres.ping", 1)
    assert playbook_files.load(text, "some.yaml") == playbook_files.load(SHIPPED, "other.yaml")
