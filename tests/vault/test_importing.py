"""Texts from outside become drafts with explicit blanks, never more: nothing is active, approved or run as it comes."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ratchet.domain.errors import Refusal
from ratchet.domain.playbook import Playbook, Review
from ratchet.domain.series import Version
from ratchet.vault.canonical import canonical_text
from ratchet.vault.files import PlaybookFiles
from ratchet.vault.foreign import form_of
from ratchet.vault.importing import Read, read_text, same_text
from ratchet.vault.making import Made, blanks_of, new_version, short
from ratchet.vault.seeding import shipped_texts
from ratchet.vault.shelf import VaultShelf
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


def test_what_a_file_says_of_its_past_comes_back_byte_for_byte_and_is_told_as_its_own_word(records: Records) -> None:
    active = records.active(SERIES)
    metadata = active.metadata.model_copy(update={"derived_from": {"incident": "INC-2041"}})
    review = Review(every=30 * 86400.0, last="2026-01-01", by="user:default/dba")
    spec = active.spec.model_copy(update={"review": review})
    text = canonical_text(active.model_copy(update={"metadata": metadata, "spec": spec}))
    said = read(records, text)
    assert canonical_text(said.playbook) == text
    assert said.notes == (
        "metadata.derived_from is the file's own word: incident INC-2041",
        "spec.review says when it was read elsewhere; here its review is due from its activation",
    )


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


class Holding(VaultShelf):
    """A shelf where another text is the active one."""

    def __init__(self, records: Records, playbook: Playbook) -> None:
        super().__init__(records.store, records.files)
        self._held = playbook

    def candidates(self, kind: str) -> list[tuple[Version, Playbook]]:
        return [(version, self._held) for version, _ in super().candidates(kind)]


def kept(records: Records, said: Read, version_id: str) -> Version:
    """The version that an import makes of it, as the desk keeps it."""
    made = Made(version_id, records.clock(), "user:ana")
    version = new_version(said.playbook, "imported", made)
    return version.model_copy(update={"arrived": said.arrived, "version": "7.7"})


@pytest.mark.parametrize("text", [MARKDOWN, SHIPPED.replace("Connection & Lock", "Other")], ids=["markdown", "own"])
def test_the_same_file_is_no_second_draft_also_when_a_person_edited_the_first(records: Records, text: str) -> None:
    said = read(records, text)
    first = kept(records, said, "pb_import_1")
    assert same_text([first], read(records, text)) == first
    edited = first.model_copy(update={"text": first.text.replace("escalate", "verify"), "digest": "sha256:other"})
    assert same_text([edited], read(records, text)) == edited
    assert same_text([edited], read(records, f"{text}\n")) is None
    assert same_text([first.model_copy(update={"state": "discarded"})], read(records, text)) is None


def test_a_text_under_another_number_and_with_dropped_claims_is_the_one_that_is_there(records: Records) -> None:
    first = kept(records, read(records, SHIPPED), "pb_import_1").model_copy(update={"arrived": ""})
    again = SHIPPED.replace("version: '1.0'", "version: '4.2'").replace(
        "\nspec:\n", "\nspec:\n  review: {last: '2026-01-01'}\n"
    )
    assert again != SHIPPED
    assert same_text([first], read(records, again)) == first
    assert same_text([first], read(records, SHIPPED.replace("likelihood: 0.2", "likelihood: 0.21"))) is None


def test_a_runbook_whose_words_a_series_has_adds_nothing_a_second_time(records: Records) -> None:
    symptom = records.active(SERIES).spec.symptoms[0]
    text = f"# Shop is down\n\n## Symptoms\n- {symptom}\n\n## Resolution\n1. Restart the pool.\n"
    said = read(records, text)
    again = read_text(text, "file", None, (records.files, Holding(records, said.playbook)))
    assert (again.near, again.playbook.spec) == (records.store.series(SERIES).active, said.playbook.spec)


def test_what_is_too_much_is_counted_in_the_notes_and_in_the_guidance(records: Records) -> None:
    steps = "\n".join(f"{n}. Look at basket {n}" for n in range(1, 61))
    said = read(records, f"# Baskets of the shop stay empty\n\n## Resolution\n{steps}\n")
    told = "20 of 60 steps were left out: read them in the file"
    assert told in said.notes
    assert f"- {told}." in said.playbook.spec.guidance
    assert not any("left out" in note for note in read(records, MARKDOWN).notes)


TITLES = (
    "\u041e\u0447\u0435\u0440\u0435\u0434\u044c \u0440\u0430\u0441\u0442\u0451\u0442",
    "\u041a\u043e\u0440\u0437\u0438\u043d\u0430 \u043f\u0443\u0441\u0442\u0430",
    "\u0421\u0431\u043e\u0439 PostgreSQL", "\u041e\u0448\u0438\u0431\u043a\u0430 PostgreSQL",
    f"{'Baskets of the shop stay empty ' * 3}at night", f"{'Baskets of the shop stay empty ' * 3}by day",
)  # fmt: skip


def test_two_titles_never_share_a_series_by_what_a_name_cannot_hold(records: Records) -> None:
    names = [read(records, f"# {title}\n\n- words\n").playbook.metadata.series for title in TITLES]
    assert len(set(names)) == len(TITLES)
    again = read(records, f"# {TITLES[0]}\n\n- other words\n").playbook.metadata.series
    assert again == names[0]
    assert read(
        records, MARKDOWN
    ).playbook.metadata.series == "pbs_payments_page_shows_a_blank_basket_after_the_nig_" + (
        short("payments page shows a blank basket after the nightly load", 8)
    )


FENCED = """# Baskets of the shop stay empty

## Resolution
1. Stop the writers
```sh
# owner of the files is cart
chown cart /var/cache/basket
# Symptoms of a full disk
~~~
*.old
```
2. Start them again
   ~~~
   ## prevention
   systemctl start cart
   ~~~

| sign | what to do |
|------|------------|
| red  | call cart  |

## Owner
user:default/yash
The cart team
### At night
"""


def test_a_comment_in_a_fence_is_no_heading_and_nothing_around_it_is_lost(records: Records) -> None:
    spec = read(records, FENCED).playbook.spec
    steps = spec.guidance.partition("What the file would have done")[2]
    wanted = (
        "Stop the writers", "# owner of the files is cart", "chown cart /var/cache/basket", "# Symptoms of a full disk",
        "~~~", "*.old", "Start them again", "## prevention", "systemctl start cart", "sign, what to do",
        "red, call cart",
    )  # fmt: skip
    assert [line.partition(". ")[2] for line in steps.splitlines() if line[:1].isdigit()] == list(wanted)
    assert (spec.owner, spec.symptoms, spec.follow_ups) == ("user:default/yash", (), ())
    assert "The cart team" in spec.guidance


def test_a_heading_below_a_section_is_a_line_of_it_and_one_beside_it_begins_prose(records: Records) -> None:
    text = "# Baskets stay empty\n\n## Resolution\n### Look at the cache\nflush it\n## Afterwards\ntell the team\n"
    guidance = read(records, text).playbook.spec.guidance
    prose, _, steps = guidance.partition("What the file would have done")
    assert "1. Look at the cache\n2. flush it" in steps
    assert "- Afterwards\n- tell the team" in prose


def test_a_text_that_is_no_playbook_says_what_to_mend(records: Records, tmp_path: Path) -> None:
    assert tmp_path.exists()
    for text in ("just words", "- a\n- b\n", "{", '{"type": "playbook"}', "# "):
        with pytest.raises(Refusal) as no:
            read(records, text)
        assert no.value.remedy
