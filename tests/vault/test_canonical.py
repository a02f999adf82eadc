"""The canonical text: whatever a playbook says, reading what was written gives it back."""

from hypothesis import given, settings
from hypothesis import strategies as st

from ratchet.domain.lines import read_sheet
from ratchet.domain.playbook import Playbook
from ratchet.vault.canonical import canonical_text, digest

WORDS = st.text(st.characters(exclude_categories=("Cs",)), max_size=160)
ODD = ["", " ", "\n", "no", "1.0", "~", "- a", "a: b #c"]
PROSE = st.one_of(WORDS, st.lists(WORDS, max_size=6).map("\n".join), st.sampled_from(ODD))


def playbook(words: list[str], guidance: str) -> Playbook:
    rule = {
        "id": "a",
        "title": words[0],
        "cause": "real_load",
        "likelihood": 0.125,
        "confirm": words[1],
        "refute": words[2],
        "then": "escalate",
        "action": words[3],
    }
    return Playbook.model_validate(
        {
            "metadata": {"series": "pbs_x", "version": "1.10", "title": "Something is slow here", "name": "Slow"},
            "spec": {
                "symptoms": words,
                "params": {"wait": {"type": "duration", "default": "90s", "from": "alert.labels.x"}},
                "probes": {"ping": {"uses": "postgres.ping", "timeout": 0.25, "args": {"words": words, "none": None}}},
                "triage": {"hypotheses": [rule]},
                "escalation": {"to": "group:default/dba", "ask": "Decide what to do."},
                "guidance": guidance,
            },
        }
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(PROSE, min_size=4, max_size=5), PROSE)
def test_reading_what_was_written_gives_the_equal_playbook(words: list[str], guidance: str) -> None:
    made = playbook(words, guidance)
    text = canonical_text(made)
    sheet, broken = read_sheet(text, "x")
    assert broken == []
    again = Playbook.model_validate(sheet.data)
    assert again == made
    assert canonical_text(again) == text
    assert digest(again) == digest(made)
