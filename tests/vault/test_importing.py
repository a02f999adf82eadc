"""Texts from outside become drafts with explicit blanks, never more: nothing is active, approved or run as it comes."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ratchet.domain.errors import Refusal
from ratchet.domain.playbook import Playbook
from ratchet.vault.canonical import canonical_text
from ratchet.vault.files import PlaybookFiles
from ratchet.vault.foreign import form_of
from ratchet.vault.importing import Read, read_text
from ratchet.vault.making import blanks_of
from ratchet.vault.seeding import shipped_texts
from tests.vault.recorded import Records

SERIES = "pbs_connection_triage"
SHIPPED = shipped_texts()[f"{SERIES}.playbook.yaml"]
MARKDOWN = """# Payments page shows a blank basket after the nightly load

## Symptoms
- Basket totals are zero until the morning refresh
- `WARN basket cache: generation mismatch`

## Diagnosis
1. Compare the generation in the cache with the one in the table.
2. Look at {{ params.secret }} and <WINDOW>; password=hunter2hunter2

## Resolution
1. `psql -c "SELECT pg_terminate_backend(pid)"; rm -rf /var/cache/basket`
2. Ask the shop team to reload.

## Prevention
- Filed PR-1923 https://git.example/pr/1923 to bump the generation in one transaction

## Owner
user:default/yash
"""
ANSIBLE = """
- name: Restart the basket cache
  hosts: cache
  tasks:
    - name: Stop the cache
      ansible.builtin.shell: rm -rf /var/cache/basket
      become: true
    - block:
        - name: Start it again
          ansible.builtin.service: {name: basket, state: started}
"""
RUNDECK = """
- name: Clear the basket queue
  description: Run when the queue stands still
  sequence:
    commands:
      - exec: rm -rf /var/spool/basket
        description: Empty the spool
      - script: "#!/bin/sh\\nreboot"
"""
CACAO = json.dumps({
    "type": "playbook", "spec_version": "cacao-2.0", "name": "Contain the basket service", "description": "Two steps",
    "workflow_start": "start--1",
    "workflow": {
        "action--2": {"type": "action", "name": "Block the address",
                      "commands": [{"type": "bash", "command": "iptables -I"}]},
        "start--1": {"type": "start", "on_completion": "action--9"},
        "action--9": {"type": "action", "name": "Isolate the host", "commands": [{"type": "ssh", "command": "halt"}],
                      "on_completion": "action--2"},
    },
})  # fmt: skip


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory, playbook_files: PlaybookFiles) -> Iterator[Records]:
    found = Records(tmp_path_factory.mktemp("vault"), playbook_files, only=SERIES)
    yield found
    found.close()


def read(records: Records, text: str) -> Read:
    return read_text(text, "file", None, (records.files, records.shelf))


def whole(playbook: Playbook, *aside: str) -> str:
    return str(playbook.model_dump(exclude={"spec": set(aside)}))


def test_each_form_is_known_from_its_text() -> None:
    told = [form_of(text) for text in (MARKDOWN, ANSIBLE, RUNDECK, CACAO, SHIPPED)]
    assert told == ["markdown", "ansible", "rundeck", "cacao", "ratchet"]


@pytest.mark.parametrize("text", [MARKDOWN, ANSIBLE, RUNDECK, CACAO], ids=["markdown", "ansible", "rundeck", "cacao"])
def test_another_format_gives_a_draft_that_can_do_nothing_and_says_what_is_blank(records: Records, text: str) -> None:
    playbook = read(records, text).playbook
    assert playbook.spec.steps == {}
    assert playbook.spec.triage.hypotheses[0].then == ("escalate",)
    assert {"cause", "what confirms it", "what refutes it", "first action", "whom to ask"} <= set(blanks_of(playbook))
    mistakes = records.files.mistakes(canonical_text(playbook), "draft")
    assert {"PB025", "PB010"} <= {mistake.code for mistake in mistakes}
    assert "rm -rf" not in whole(playbook, "guidance")
    assert records.files.read(canonical_text(playbook), "draft") == playbook
    with pytest.raises(Refusal):
        records.files.load(canonical_text(playbook), "draft")


def test_the_headings_of_a_runbook_land_where_they_belong(records: Records) -> None:
    playbook = read(records, MARKDOWN).playbook
    spec = playbook.spec
    assert playbook.metadata.title == "Payments page shows a blank basket after the nightly load"
    assert spec.symptoms[0] == "Basket totals are zero until the morning refresh"
    assert spec.owner == "user:default/yash"
    assert [(item.kind, item.link) for item in spec.follow_ups] == [("ticket", "https://git.example/pr/1923")]
    assert "Compare the generation" in spec.guidance
    assert "1. `psql" in spec.guidance
    assert "hunter2" not in canonical_text(playbook)
    assert "{{" not in spec.guidance
    assert "<WINDOW>" not in spec.guidance


def test_the_steps_of_a_workflow_come_in_the_order_in_which_they_would_have_run(records: Records) -> None:
    guidance = read(records, CACAO).playbook.spec.guidance
    assert guidance.index("Isolate the host (CACAO ssh)") < guidance.index("Block the address (CACAO bash)")
    assert "iptables" not in guidance
    tasks = read(records, ANSIBLE).playbook.spec.guidance
    assert tasks.index("Stop the cache (Ansible module ansible.builtin.shell)") < tasks.index("Start it again")


def test_a_runbook_that_says_what_a_series_says_is_offered_as_a_version_of_it(records: Records) -> None:
    symptom = records.active(SERIES).spec.symptoms[0]
    said = read(records, f"# Shop is down\n\n## Symptoms\n- {symptom}\n\n## Resolution\n1. Restart the pool.\n")
    assert said.playbook.metadata.series == SERIES
    assert any("speaks of the same" in note for note in said.notes)
    active = records.active(SERIES)
    assert said.playbook.spec.steps == active.spec.steps
    assert said.playbook.spec.triage == active.spec.triage
    assert "Restart the pool." in said.playbook.spec.guidance
    assert read(records, MARKDOWN).near is None


@pytest.mark.parametrize(
    ("claim", "told"),
    [
        ("is_active: true\n", "is_active"), ("approved_by: user:ana\n", "approved_by"), ("state: active\n", "state"),
        ("activated_by: user:ana\n", "activated_by"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("place", ["", "metadata", "spec"])
def test_what_a_file_claims_of_itself_is_dropped_and_said(records: Records, place: str, claim: str, told: str) -> None:
    text = f"{SHIPPED}{claim}" if not place else SHIPPED.replace(f"\n{place}:\n", f"\n{place}:\n  {claim}", 1)
    said = read(records, text)
    assert said.playbook == records.active(SERIES)
    assert said.notes == (f"dropped {f'{place}.' if place else ''}{told}: only a person's activation says so",)


def test_a_tool_spelled_with_a_letter_of_another_script_is_refused_by_name(records: Records) -> None:
    with pytest.raises(Refusal) as no:
        read(records, SHIPPED.replace("postgres.terminate_sessions", "postgres.t\u0435rminate_sessions"))
    assert any(mistake.code == "PB010" and "\u0435" in mistake.message for mistake in no.value.mistakes)


def test_a_bomb_of_aliases_is_refused_at_once(records: Records) -> None:
    bomb = "apiVersion: ratchet/v1\na: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    with pytest.raises(Refusal) as no:
        read(records, bomb)
    assert "too large" in no.value.mistakes[0].message


def test_every_shipped_text_comes_back_byte_for_byte(records: Records) -> None:
    for name, text in shipped_texts().items():
        again = read(records, text).playbook
        assert canonical_text(again) == canonical_text(records.files.read(text, name))


def test_a_text_that_is_no_playbook_says_what_to_mend(records: Records, tmp_path: Path) -> None:
    assert tmp_path.exists()
    for text in ("just words", "- a\n- b\n", "{", '{"type": "playbook"}', "# "):
        with pytest.raises(Refusal) as no:
            read(records, text)
        assert no.value.remedy
