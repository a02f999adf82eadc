"""A series is the life of one playbook: its versions, exactly one of them active at most."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import Field

from ratchet.domain.backtest import Backtest
from ratchet.domain.noun import Noun
from ratchet.domain.timeline import Recorded

State = Literal["draft", "active", "retired", "discarded"]


class Version(Noun):
    """One text of a series. Immutable once activated; `digest` is over the canonical text on disk."""

    id: str
    series: str
    version: str
    name: str
    title: str
    source: Literal["system", "manual", "imported", "generated"]
    text: str
    digest: str
    guidance: str = ""
    created_at: datetime
    created_by: str
    edited_by: str = ""
    """Who last changed what the text does; an edit of words alone leaves it as it was."""
    wrote: tuple[str, ...] = ()
    """Who else wrote what it does: here before `edited_by`, or in the version that it was made from."""
    authors: tuple[str, ...] = ()
    """Everybody who edited it, in order; with `created_by` they are those who cannot be its second reader."""
    commit: str = ""
    """The commit that the text stood in where it was imported from; empty when nobody said."""
    arrived: str = ""
    """The digest of the file as it was imported, so that the same file is no second draft; empty for other sources."""
    incident: str | None = None
    fault: str | None = None
    blanks: tuple[str, ...] = ()
    """What only a person can give before this may be activated."""
    state: State = "draft"
    revision: int = 1
    backtest: Backtest | None = None
    """The last replay of exactly this text."""
    activated_by: str = ""
    activated_at: datetime | None = None
    ended_because: str = ""
    """Why it was retired or discarded, when a person said so."""

    @property
    def pin(self) -> str:
        """`series@version`."""
        return f"{self.series}@{self.version}"

    @property
    def writers(self) -> tuple[str, ...]:
        """Everybody who wrote what the text does, the last one last; they approve no step of it."""
        named = dict.fromkeys(reversed([self.created_by, *self.wrote, self.edited_by]))
        return tuple(reversed([name for name in named if name]))


class Seeded(Noun):
    """A version that ships with the release entered the vault."""

    label: ClassVar[str] = "seeded"
    kind: Literal["seeded"] = "seeded"
    version: Version
    active: bool


class VersionDrafted(Noun):
    """A draft entered the vault."""

    label: ClassVar[str] = "drafted"
    kind: Literal["version_drafted"] = "version_drafted"
    version: Version


class Edited(Noun):
    """A person changed a draft; the id stays, the revision moves, and the texts before it stay in the events."""

    label: ClassVar[str] = "edited"
    kind: Literal["edited"] = "edited"
    version_id: str
    text: str
    digest: str
    guidance: str
    blanks: tuple[str, ...]
    reason: str = ""
    wrote: tuple[str, ...] = ()
    """Who wrote what the text does in the version that it was drawn upon."""
    words_only: bool = False
    """Whether nothing changed but what people read: then its editor is no author of what is approved."""


class Backtested(Noun):
    """A version was replayed over past incidents."""

    label: ClassVar[str] = "backtested"
    kind: Literal["backtested"] = "backtested"
    version_id: str
    backtest: Backtest


class Activated(Noun):
    """A person made this version the active one; `rollback` when it had been in use before."""

    label: ClassVar[str] = "activated"
    kind: Literal["activated"] = "activated"
    version_id: str
    by: str
    reason: str
    rollback: bool = False


class Retired(Noun):
    """A person took a version out of use."""

    label: ClassVar[str] = "retired"
    kind: Literal["retired"] = "retired"
    version_id: str
    by: str
    reason: str


class Discarded(Noun):
    """A person threw a draft away."""

    label: ClassVar[str] = "discarded"
    kind: Literal["discarded"] = "discarded"
    version_id: str
    by: str
    reason: str


SeriesEvent = Annotated[
    Seeded | VersionDrafted | Edited | Backtested | Activated | Retired | Discarded, Field(discriminator="kind")
]


class Series(Noun):
    """The versions under one stable name."""

    id: str
    tenant: str = "main"
    seq: int = 0
    versions: tuple[Version, ...] = ()

    @property
    def stream(self) -> str:
        """The name of its event stream."""
        return f"series/{self.id}"

    @property
    def active(self) -> Version | None:
        """The one version in use, if any."""
        return next((v for v in self.versions if v.state == "active"), None)

    def find(self, version_id: str) -> Version | None:
        """The version of that id."""
        return next((v for v in self.versions if v.id == version_id), None)

    def activated_by_person(self) -> bool:
        """Whether a person ever chose here: made any version the active one, or used one that did not ship."""
        return any(v.activated_by or (v.source != "system" and v.state in ("active", "retired")) for v in self.versions)

    def apply(self, recorded: Recorded[SeriesEvent]) -> "Series":
        """The series after one more event; pure."""
        versions = _FOLD[recorded.event.kind](self.versions, recorded.event, recorded)
        return self.model_copy(update={"versions": versions, "seq": recorded.seq})


Versions: TypeAlias = tuple[Version, ...]


def _seeded(versions: Versions, e: Seeded, _: Recorded[Any]) -> Versions:
    if not e.active:
        return (*versions, e.version)
    return (*_retire_active(versions), e.version.model_copy(update={"state": "active"}))


def _drafted(versions: Versions, e: VersionDrafted, _: Recorded[Any]) -> Versions:
    return (*versions, e.version)


def _edited(versions: Versions, e: Edited, recorded: Recorded[Any]) -> Versions:
    def edited(v: Version) -> dict[str, Any]:
        authors = v.authors if recorded.by in v.authors else (*v.authors, recorded.by)
        before = (*v.wrote, *e.wrote, *(() if e.words_only else (v.edited_by,)))
        return {
            "wrote": tuple(dict.fromkeys(name for name in before if name)),
            "text": e.text, "digest": e.digest, "guidance": e.guidance, "blanks": e.blanks, "authors": authors,
            "edited_by": v.edited_by if e.words_only else recorded.by, "revision": v.revision + 1, "backtest": None,
        }  # fmt: skip

    return tuple(v.model_copy(update=edited(v)) if v.id == e.version_id else v for v in versions)


def _backtested(versions: Versions, e: Backtested, _: Recorded[Any]) -> Versions:
    same = (e.version_id, e.backtest.digest)
    return tuple(v.model_copy(update={"backtest": e.backtest}) if (v.id, v.digest) == same else v for v in versions)


def _activated(versions: Versions, e: Activated, recorded: Recorded[Any]) -> Versions:
    update = {"state": "active", "activated_by": e.by, "activated_at": recorded.at, "ended_because": ""}
    return _with(_retire_active(versions), e.version_id, update)


def _retired(versions: Versions, e: Retired, _: Recorded[Any]) -> Versions:
    return _with(versions, e.version_id, {"state": "retired", "ended_because": e.reason})


def _discarded(versions: Versions, e: Discarded, _: Recorded[Any]) -> Versions:
    return _with(versions, e.version_id, {"state": "discarded", "ended_because": e.reason})


def _retire_active(versions: Versions) -> Versions:
    return tuple(v.model_copy(update={"state": "retired"}) if v.state == "active" else v for v in versions)


def _with(versions: Versions, version_id: str, update: dict[str, Any]) -> Versions:
    return tuple(v.model_copy(update=update) if v.id == version_id else v for v in versions)


_FOLD: dict[str, Callable[[Versions, Any, Recorded[Any]], Versions]] = {
    "seeded": _seeded, "version_drafted": _drafted, "edited": _edited, "backtested": _backtested,
    "activated": _activated, "retired": _retired, "discarded": _discarded,
}  # fmt: skip
