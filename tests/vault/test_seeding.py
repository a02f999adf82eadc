"""Seeding and the shelf, on a real store: what ships enters once and never displaces a person's choice."""

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ratchet.domain.errors import Code, Refusal
from ratchet.domain.playbook import Playbook
from ratchet.domain.series import Activated, Retired, Seeded, Version, VersionDrafted
from ratchet.store.store import EventStore
from ratchet.vault.canonical import canonical_text, text_digest
from ratchet.vault.files import PlaybookFiles
from ratchet.vault.seeding import seed, shipped_texts, shipped_version
from ratchet.vault.shelf import VaultShelf
from tests.vault.test_shipped import NAMES

NOW = datetime(2026, 11, 21, tzinfo=UTC)
NAME = "pbs_connection_triage.playbook.yaml"
SERIES = "pbs_connection_triage"
TEXTS = shipped_texts()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EventStore]:
    numbers = itertools.count()
    opened = EventStore.open_at(tmp_path, lambda: NOW, lambda: f"id{next(numbers)}")
    yield opened
    opened.close()


def upgraded(files: PlaybookFiles, version: str = "1.1", source: str = "system") -> Playbook:
    playbook = files.load(TEXTS[NAME], NAME)
    update = {"version": version, "source": source}
    return playbook.model_copy(update={"metadata": playbook.metadata.model_copy(update=update)})


def manual(files: PlaybookFiles, state: str = "draft") -> Version:
    made = shipped_version(upgraded(files, "1.1", "manual"), NOW)
    return made.model_copy(update={"id": "pb_manual_1", "source": "manual"})


def test_the_log_reads_as_operators_know_it(store: EventStore, playbook_files: PlaybookFiles) -> None:
    lines: list[str] = []
    assert seed(store, playbook_files, TEXTS, lines.append) == (len(NAMES), 0)
    assert lines == [
        f'INFO msg="playbooks: seeded system playbook" name="{name}" series={series} version={version} active=true'
        for series, (name, version) in sorted(NAMES.items())
    ] + [f'INFO msg="playbooks: seed complete" seeded={len(NAMES)} skipped=0']


def test_seeding_again_skips_and_changes_nothing(store: EventStore, playbook_files: PlaybookFiles) -> None:
    seed(store, playbook_files, TEXTS, lambda _: None)
    before = [series.model_dump() for series in store.all_series()]
    lines: list[str] = []
    assert seed(store, playbook_files, TEXTS, lines.append) == (0, len(NAMES))
    assert lines == [f'INFO msg="playbooks: seed complete" seeded=0 skipped={len(NAMES)}']
    assert [series.model_dump() for series in store.all_series()] == before


def test_version_ids_follow_from_the_text(store: EventStore, playbook_files: PlaybookFiles) -> None:
    seed(store, playbook_files, TEXTS, lambda _: None)
    for series in store.all_series():
        version = series.active
        assert version is not None
        assert version.id == f"pb_system_{text_digest(version.text)[7:19]}"


def test_a_shipped_upgrade_takes_over_from_a_shipped_version(store: EventStore, playbook_files: PlaybookFiles) -> None:
    seed(store, playbook_files, TEXTS, lambda _: None)
    text = canonical_text(upgraded(playbook_files))
    assert seed(store, playbook_files, {NAME: text}, lambda _: None) == (1, 0)
    series = store.series(SERIES)
    assert series.active is not None
    assert series.active.version == "1.1"
    assert [v.state for v in series.versions] == ["retired", "active"]


def test_an_older_release_does_not_take_the_place_of_a_newer_one(
    store: EventStore, playbook_files: PlaybookFiles
) -> None:
    seed(store, playbook_files, {NAME: canonical_text(upgraded(playbook_files, "2.0"))}, lambda _: None)
    seed(store, playbook_files, {NAME: TEXTS[NAME]}, lambda _: None)
    active = store.series(SERIES).active
    assert active is not None
    assert active.version == "2.0"


def test_seeding_never_displaces_a_version_that_a_person_activated(
    store: EventStore, playbook_files: PlaybookFiles
) -> None:
    seed(store, playbook_files, TEXTS, lambda _: None)
    mine = manual(playbook_files)
    store.commit_series(store.series(SERIES), VersionDrafted(version=mine), by="person:ana")
    store.commit_series(
        store.series(SERIES), Activated(version_id=mine.id, by="person:ana", reason="ours"), by="person:ana"
    )
    lines: list[str] = []
    text = canonical_text(upgraded(playbook_files, "2.0"))
    assert seed(store, playbook_files, {NAME: text}, lines.append) == (1, 0)
    series = store.series(SERIES)
    assert series.active is not None
    assert series.active.id == mine.id
    assert [v.state for v in series.versions if v.version == "2.0"] == ["draft"]
    assert "active=false" in lines[0]


def test_a_series_that_a_person_took_out_of_use_stays_out_of_use(
    store: EventStore, playbook_files: PlaybookFiles
) -> None:
    seed(store, playbook_files, TEXTS, lambda _: None)
    active = store.series(SERIES).active
    assert active is not None
    store.commit_series(
        store.series(SERIES), Retired(version_id=active.id, by="person:ana", reason="not here"), by="person:ana"
    )
    seed(store, playbook_files, {NAME: canonical_text(upgraded(playbook_files))}, lambda _: None)
    assert store.series(SERIES).active is None


def test_a_release_with_a_broken_file_seeds_nothing(store: EventStore, playbook_files: PlaybookFiles) -> None:
    with pytest.raises(Refusal):
        seed(store, playbook_files, {**TEXTS, "broken.yaml": "kind: Playbook\n"}, lambda _: None)
    assert store.all_series() == []


def test_the_shelf_gives_the_active_playbooks_of_a_kind(store: EventStore, playbook_files: PlaybookFiles) -> None:
    seed(store, playbook_files, TEXTS, lambda _: None)
    shelf = VaultShelf(store, playbook_files)
    found = shelf.candidates("postgres")
    assert [playbook.metadata.series for _, playbook in found] == sorted(
        s.removesuffix(".playbook.yaml") for s in TEXTS
    )
    assert shelf.candidates("redis") == []
    version, playbook = found[0]
    assert shelf.version(version.id) == (version, playbook)
    assert shelf.version(version.id)[1] is playbook


def test_a_text_that_does_not_fit_its_digest_is_refused(store: EventStore, playbook_files: PlaybookFiles) -> None:
    good = shipped_version(playbook_files.load(TEXTS[NAME], NAME), NOW)
    bad = good.model_copy(update={"text": good.text.replace("0.85", "0.05")})
    store.commit_series(store.series(SERIES), Seeded(version=bad, active=True), by="ratchet")
    shelf = VaultShelf(store, playbook_files)
    with pytest.raises(Refusal) as caught:
        shelf.version(bad.id)
    assert caught.value.code is Code.FAILED
    assert shelf.candidates("postgres") == [] and [no.code for no in shelf.left_out()] == [Code.FAILED]


def test_a_version_nobody_has_is_not_found(store: EventStore, playbook_files: PlaybookFiles) -> None:
    with pytest.raises(Refusal) as caught:
        VaultShelf(store, playbook_files).version("pb_nowhere")
    assert caught.value.code is Code.NOT_FOUND
