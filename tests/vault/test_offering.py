"""A site's own files enter the vault as drafts, once, and a wrong one keeps nobody from starting."""

import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ratchet.config import Settings
from ratchet.domain.series import Discarded
from ratchet.store.store import EventStore
from ratchet.vault.files import PlaybookFiles
from ratchet.vault.offering import offer, site_texts
from ratchet.vault.seeding import seed, shipped_texts
from ratchet.wiring.house import open_house

NOW = datetime(2026, 11, 21, tzinfo=UTC)
NAME = "pbs_connection_triage.playbook.yaml"
SERIES = "pbs_connection_triage"
SHIPPED = shipped_texts()
OURS = SHIPPED[NAME].replace("version: '1.0'", "version: '1.4'", 1)
NEW = OURS.replace(f"series: {SERIES}", "series: pbs_ours", 1)


@pytest.fixture
def store(tmp_path: Path, playbook_files: PlaybookFiles) -> Iterator[EventStore]:
    numbers = itertools.count()
    opened = EventStore.open_at(tmp_path / "home", lambda: NOW, lambda: f"id{next(numbers)}")
    seed(opened, playbook_files, SHIPPED, lambda _: None)
    yield opened
    opened.close()


@pytest.fixture
def offering(store: EventStore, playbook_files: PlaybookFiles) -> Callable[..., tuple[int, str]]:
    def run(**texts: str) -> tuple[int, str]:
        lines: list[str] = []
        kept = offer(store, playbook_files, texts, (NOW, lines.append))
        return kept, "\n".join(lines)

    return run


def test_a_file_becomes_a_draft_beside_the_active_version(store: EventStore, offering) -> None:
    kept, said = offering(ours=OURS)
    assert kept == 1 and "INFO" in said and f"{SERIES}@1.4" in said
    draft = store.series(SERIES).versions[-1]
    assert (draft.source, draft.state, draft.version) == ("manual", "draft", "1.4")
    assert "source: system" not in draft.text
    assert draft.blanks == ("owner",)
    active = store.series(SERIES).active
    assert active is not None and active.version == "1.0"


def test_a_new_series_has_a_draft_and_nothing_active(store: EventStore, offering) -> None:
    assert offering(new=NEW)[0] == 1
    assert store.series("pbs_ours").active is None


def test_the_same_text_is_offered_once_also_after_it_was_thrown_away(store: EventStore, offering) -> None:
    offering(ours=OURS)
    assert offering(ours=OURS) == (0, "")
    series = store.series(SERIES)
    store.commit_series(series, Discarded(version_id=series.versions[-1].id, by="user:ana", reason="no"), by="user:ana")
    assert offering(ours=OURS) == (0, "")


def test_a_number_that_another_text_has_is_told_and_not_taken(store: EventStore, offering) -> None:
    before = store.series(SERIES)
    kept, said = offering(ours=SHIPPED[NAME].replace("likelihood: 0.3", "likelihood: 0.25", 1))
    assert kept == 0
    assert "WARN" in said and "raise metadata.version" in said
    assert store.series(SERIES) == before


def test_a_broken_file_is_told_and_the_others_are_kept(store: EventStore, offering) -> None:
    kept, said = offering(broken="kind: Playbook\n", new=NEW)
    assert kept == 1
    assert 'WARN msg="playbooks: a site\'s file is passed by" file="broken"' in said


@pytest.mark.parametrize(("hidden", "told"), [("password=hunter2hunter2", "PB020"), ("a \u202e b", "PB029")])
def test_a_file_with_a_secret_or_a_hidden_character_is_passed_by(
    store: EventStore, offering, hidden: str, told: str
) -> None:
    kept, said = offering(ours=OURS.replace("  guidance: |\n", f"  guidance: |\n    {hidden}\n", 1))
    assert kept == 0 and "WARN" in said and told in said and hidden not in said
    assert all("hunter2" not in str(each.event) for each in store.series_timeline(SERIES))


def test_a_house_reads_the_files_of_its_overlays_at_start(tmp_path: Path) -> None:
    library = tmp_path / "site" / "playbooks"
    library.mkdir(parents=True)
    (library / "ours.playbook.yaml").write_text(NEW, encoding="utf-8")
    (library / "garbage.playbook.yaml").write_bytes(b"\xff\xfe")
    (library / "notes.txt").write_text("not a playbook", encoding="utf-8")
    lines: list[str] = []
    house = open_house(Settings(home=tmp_path / "home", overlays=(tmp_path / "site",)), lines.append)
    try:
        found = house.desk(house.operator()).playbooks(series="pbs_ours")
    finally:
        house.close()
    assert [(one.source, one.state) for one in found] == [("manual", "draft")]
    assert [line.split()[0] for line in lines if "a site's file" in line] == ["WARN", "INFO"]


def test_the_texts_of_a_later_directory_come_later(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.playbook.yaml").write_text(name, encoding="utf-8")
    assert list(site_texts([tmp_path / "b", tmp_path / "a"], lambda _: None).values()) == ["b", "a"]
