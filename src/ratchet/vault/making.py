"""Making a version of a text: its id, its number, its blanks."""

import hashlib
import re
from datetime import datetime
from typing import Literal, NamedTuple, TypeAlias

from ratchet.domain.playbook import Playbook
from ratchet.domain.series import Series, Version
from ratchet.domain.sheet import texts_in
from ratchet.vault.canonical import canonical_text, text_digest

Source: TypeAlias = Literal["system", "manual", "imported", "generated"]
_LEFT = re.compile(r"<([A-Z][A-Z0-9_ -]{1,40})>")
"""A place that an import left for a person to fill."""
PERSON = re.compile(r"user:[a-z0-9_.-]+/[A-Za-z0-9_.-]+")


class Made(NamedTuple):
    """Under which id a version enters the vault, when, and by whom."""

    id: str
    at: datetime
    by: str


def new_version(playbook: Playbook, source: Source, made: Made) -> Version:
    """A draft with this text in its canonical form."""
    text = canonical_text(playbook)
    return Version(
        id=made.id,
        series=playbook.metadata.series,
        version=playbook.metadata.version,
        name=playbook.metadata.name,
        title=playbook.metadata.title,
        source=source,
        text=text,
        digest=text_digest(text),
        guidance=playbook.spec.guidance,
        created_at=made.at,
        created_by=made.by,
        blanks=blanks_of(playbook, source),
    )


def blanks_of(playbook: Playbook, source: str = "") -> tuple[str, ...]:
    """What only a person can give before this may be activated; `source` is that of the version, not of the text."""
    owned = (source or playbook.metadata.source) == "system" or PERSON.fullmatch(playbook.spec.owner)
    blanks = ["" if owned else "owner", "" if playbook.spec.follow_ups else "prevention"]
    body = playbook.model_dump(mode="json", by_alias=True, exclude={"spec": {"symptoms"}})
    blanks += [found.lower() for _, text in texts_in(body, ()) for found in _LEFT.findall(text)]
    return tuple(dict.fromkeys(blank for blank in blanks if blank))


def free_version(after: str, series: Series) -> str:
    """The next minor version that no version of the series has taken."""
    major, minor = numbers(after)
    taken = {numbers(version.version) for version in series.versions}
    minor += 1
    while (major, minor) in taken:
        minor += 1
    return f"{major}.{minor}"


def numbers(version: str) -> tuple[int, ...]:
    """`1.10` as numbers, so that it comes after `1.9`."""
    return tuple(int(part) for part in version.split("."))


def short(text: str, length: int = 12) -> str:
    """The first digits of a digest, for ids."""
    return hashlib.sha256(text.encode()).hexdigest()[:length]
