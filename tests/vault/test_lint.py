"""The reviewer's rules: each fires where it should, at the line it should, and nowhere in what ships."""

from datetime import UTC, datetime

import pytest

from ratchet.vault.causes import shipped_causes
from ratchet.vault.files import PlaybookFiles
from ratchet.vault.known import KnownTools
from ratchet.vault.seeding import shipped_texts

SHIPPED = shipped_texts()["pbs_connection_triage.playbook.yaml"]
TITLE = "title: Clients are refused with 'too many clients', or sessions hang waiting for locks"


REFUTE = "refute: prepared.rows == 0 or prepared.answer == 'refused'"
SAME = "refute: any(p.age_s >= 60 for p in prepared.rows_data)"
PLAN = SHIPPED[(at := SHIPPED.index("        plan: ")) : SHIPPED.index("    end_root_blocker:", at)]
NEXT_PLAN = "plan: The application repeats the transaction. If it blocks again at once, stop and call its owner."
CANARY = "    canary:\n      uses: postgres.canary\n"


@pytest.mark.parametrize(
    ("code", "old", "new"),
    [
        ("PB002", TITLE, "title: Kill idle sessions"),
        ("PB003", SHIPPED[SHIPPED.index("  symptoms:") : SHIPPED.index("  match:")], "  symptoms: []\n"),
        ("PB004", "source: system", "source: manual"),
        ("PB004", "  ai_executable: true", "  owner: group:default/dba\n  ai_executable: true"),
        ("PB005", "  ai_executable: true", "  review: {every: 90d, last: '2026-01-01'}\n  ai_executable: true"),
        ("PB005", "  ai_executable: true", "  review: {last: '2099-01-01'}\n  ai_executable: true"),
        ("PB011", REFUTE, SAME),
        ("PB011", REFUTE, "refute: 'false'"),
        ("PB012", "likelihood: 0.2\n", "likelihood: 0.9\n"),
        ("PB013", "confirm: any(p.age_s >= 60 for p in prepared.rows_data)", "confirm: 1 == 1"),
        ("PB015", "effect: disruptive", "effect: reversible"),
        ("PB016", "require: preview.rows >= 1\n", "require: 1 == 1\n"),
        ("PB017", "      cap: 200\n", "      cap: 200\n      retries: {max: 1}\n"),
        ("PB018", PLAN, "        plan: ''\n"),
        ("PB019", "state: idle\n", "state: idle\n        command: rm -rf /tmp/x\n"),
        ("PB020", "data_risk: none", "data_risk: 'password=hunter2hunter'"),
        ("PB020", "via:\n", "via:\n      - https://bot:s3cr3ts3cr3t@chat.example/hook\n"),
        ("PB020", "  guidance: |\n", "  guidance: |\n    PGPASSWORD='hunter2hunter' psql\n"),
        ("PB020", "  guidance: |\n", "  guidance: |\n    alter role shop password 'hunter2hunter'\n"),
        ("PB021", "user_visible: true", "user_visible: false"),
        ("PB022", "verify:\n", "verify:\n    sustain: 15s\n"),
        ("PB023", SHIPPED[SHIPPED.index("  follow_ups:") : SHIPPED.index("  guidance:")], "  follow_ups: []\n"),
        ("PB024", "href: playbook:pbs_slow_query_triage", "href: runbooks/slow.md"),
        ("PB025", NEXT_PLAN, "plan: Wait <WINDOW> and look again."),
        ("PB026", "expect: ping.first.can_see_others", "expect: ping.rows == 1"),
        ("PB027", CANARY, CANARY + "    spare:\n      uses: postgres.locks\n"),
    ],
)  # fmt: skip
def test_a_rule_fires_where_it_should(known: KnownTools, code: str, old: str, new: str) -> None:
    assert old in SHIPPED
    text = SHIPPED.replace(old, new, 1)
    files = PlaybookFiles(known, shipped_causes().names, lambda: datetime(2026, 11, 21, tzinfo=UTC))
    found = files.mistakes(text, "some.yaml")
    hits = [m for m in found if m.code == code]
    assert hits, found
    assert all(m.line is not None and m.line > 1 and m.remedy for m in hits)


@pytest.mark.parametrize(
    ("written", "named"),
    [("\u202e", "U+202E (RIGHT-TO-LEFT OVERRIDE)"), ("\u200b", "U+200B (ZERO WIDTH SPACE)"),
     ("\\e[2K", "U+001B (a control character)"), ("\\r", "U+000D"), ("\\x85", "U+0085"), ("\u00ad", "U+00AD"),
     ("\U000e0041", "U+E0041"), ("\x1b", "U+001B"), ("\ufeff", "U+FEFF")],
)  # fmt: skip
@pytest.mark.parametrize(
    ("place", "old", "new"),
    [("spec.guidance", "  guidance: ", '  guidance: "ab{}c"\n  was: '),
     ("spec.team", "  ai_executable: true", '  team: "ab{}c"\n  ai_executable: true'),
     ("spec.probes", "    canary:\n", '    "ab{}c":\n')],
)  # fmt: skip
def test_what_nobody_sees_is_told_with_its_place_wherever_it_stands(
    playbook_files: PlaybookFiles, written: str, named: str, place: str, old: str, new: str
) -> None:  # fmt: skip
    assert old in SHIPPED
    text = SHIPPED.replace(old, new.format(written), 1)
    raw = written == "\x1b"
    found = [m for m in playbook_files.mistakes(text, "some.yaml") if m.code == ("PB001" if raw else "PB029")]
    (hit,) = [m for m in found if named in m.message]
    assert hit.line == text[: text.index(new.partition("{")[0])].count("\n") + 1
    assert raw or (place in hit.message and "its line 1, character 3" in hit.message)
    assert written not in hit.message or written.startswith("\\")


def test_what_ships_passes_every_rule(known: KnownTools) -> None:
    files = PlaybookFiles(known, shipped_causes().names, lambda: datetime(2026, 11, 21, tzinfo=UTC))
    assert [m for name, text in shipped_texts().items() for m in files.mistakes(text, name)] == []


def test_without_a_clock_the_review_date_is_not_judged(playbook_files: PlaybookFiles) -> None:
    text = SHIPPED.replace("  ai_executable: true", "  review: {last: '2020-01-01'}\n  ai_executable: true", 1)
    assert playbook_files.mistakes(text, "some.yaml") == []


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("confirm: any(p.age_s >= 60 for p in prepared.rows_data)", "confirm: nothing.rows == 1", "confirm"),
        (REFUTE, "refute: prepared.rows ==", "refute"),
    ],
)
def test_a_condition_s_mistake_names_the_hypothesis_it_belongs_to(
    known: KnownTools, old: str, new: str, place: str
) -> None:
    named = next(line for line in reversed(SHIPPED[: SHIPPED.index(old)].splitlines()) if "- id: " in line).split()[-1]
    files = PlaybookFiles(known, shipped_causes().names, lambda: datetime(2026, 11, 21, tzinfo=UTC))
    messages = [m.message for m in files.mistakes(SHIPPED.replace(old, new, 1), "some.yaml")]
    assert any(f"`{named}.{place}`" in message for message in messages), messages


def test_a_condition_without_a_name_of_its_own_is_told_by_its_step_or_its_place(known: KnownTools) -> None:
    files = PlaybookFiles(known, shipped_causes().names, lambda: datetime(2026, 11, 21, tzinfo=UTC))
    text = SHIPPED.replace("require: preview.rows >= 1\n", "require: previw.rows >= 1\n", 1)
    text = text.replace("each: prepared.rows_data", "each: prepard.rows_data", 1)
    messages = "\n".join(m.message for m in files.mistakes(text, "some.yaml"))
    step = next(line for line in SHIPPED.split("  steps:\n", 1)[1].splitlines() if line.strip().endswith(":")).strip(
        " :"
    )
    assert f"`{step}.preview.require`" in messages
    assert ".objects[0].each`" in messages
