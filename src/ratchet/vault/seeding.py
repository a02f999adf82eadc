"""Seeding: the playbooks of the release enter the vault at start, and never displace what a person activated."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.resources import files as resources

from ratchet.domain.house import SeedCompleted
from ratchet.domain.playbook import Playbook
from ratchet.domain.ports import Store
from ratchet.domain.series import Seeded, Series, Version
from ratchet.vault.canonical import canonical_text, text_digest
from ratchet.vault.files import PlaybookFiles
from ratchet.vault.making import numbers

SUFFIX = ".playbook.yaml"
BY = "ratchet"
_BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


def shipped_texts() -> dict[str, str]:
    """The playbooks of this release: file name to text, by name."""
    room = resources("ratchet.library").joinpath("playbooks")
    found = {entry.name: entry for entry in room.iterdir() if entry.name.endswith(SUFFIX)}
    return {name: found[name].read_text("utf-8") for name in sorted(found)}


def seed(store: Store, files: PlaybookFiles, texts: Mapping[str, str], log: Callable[[str], None]) -> tuple[int, int]:
    """Offer every text to the vault; returns how many were seeded and how many were there already.

    A text that is in the vault already is not read again. All others are read before the first is kept: a release
    with a broken file seeds nothing and says why.
    """
    known = {version.id for series in store.all_series() for version in series.versions}
    new = [(text, files.load(text, where)) for where, text in texts.items() if _id(text) not in known]
    created_at = files.clock() if files.clock else _BEGINNING
    seeded = 0
    for text, playbook in new:
        version = shipped_version(playbook, created_at, text)
        series = store.series(version.series)
        if series.find(version.id) is not None:
            continue
        active = takes_over(series, version)
        store.commit_series(series, Seeded(version=version, active=active), by=BY)
        seeded += 1
        log(_line(version, active))
    if seeded:
        store.record(SeedCompleted(seeded=seeded, skipped=len(texts) - seeded), by=BY)
    log(f'INFO msg="playbooks: seed complete" seeded={seeded} skipped={len(texts) - seeded}')
    return seeded, len(texts) - seeded


def shipped_version(playbook: Playbook, created_at: datetime, text: str = "") -> Version:
    """The version that a shipped playbook becomes; its id follows from its text, which is canonical as it ships."""
    text = text or canonical_text(playbook)
    return Version(
        id=_id(text),
        series=playbook.metadata.series,
        version=playbook.metadata.version,
        name=playbook.metadata.name,
        title=playbook.metadata.title,
        source=playbook.metadata.source,
        text=text,
        digest=text_digest(text),
        guidance=playbook.spec.guidance,
        created_at=created_at,
        created_by=BY,
    )


def _id(text: str) -> str:
    return f"pb_system_{text_digest(text).removeprefix('sha256:')[:12]}"


def takes_over(series: Series, version: Version) -> bool:
    """Whether a shipped version becomes active: in an empty series, or after an older shipped one.

    Where a person activated a version, or took all of them out of use, the shipped one waits as a draft.
    """
    active = series.active
    if not series.versions:
        return True
    if active is None or active.source != "system" or series.activated_by_person():
        return False
    return numbers(version.version) >= numbers(active.version)


def _line(version: Version, active: bool) -> str:
    name = version.name.replace("\\", "\\\\").replace('"', '\\"')
    return (
        f'INFO msg="playbooks: seeded system playbook" name="{name}" series={version.series}'
        f" version={version.version} active={str(active).lower()}"
    )
