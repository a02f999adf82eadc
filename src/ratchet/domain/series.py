"""A series is the life of one playbook: its versions, exactly one of them active at most."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import Field

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
    incident: str | None = None
    fault: str | None = None
    blanks: tuple[str, ...] = ()
    """What only a person can give before this may be activated."""
    state: State = "draft"
    revision: int = 1

    @property
    def pin(self) -> str:
        """`series@version`."""
        return f"{self.series}@{self.version}"

    @property
    def author(self) -> str:
        """Who last wrote the text."""
        return self.edited_by or self.created_by


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
    """A person changed a draft; the id stays, the revision moves."""

    label: ClassVar[str] = "edited"
    kind: Literal["edited"] = "edited"
    version_id: str
    text: str
    digest: str
    guidance: str
    blanks: tuple[str, ...]


class Activated(Noun):
    """A person made this version the active one."""

    label: ClassVar[str] = "activated"
    kind: Literal["activated"] = "activated"
    version_id: str
    by: str
    reason: str


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
    Seeded | VersionDrafted | Edited | Activated | Retired | Discarded, Field(discriminator="kind")
]  # fmt: skip


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
        """Whether a version that did not ship with a release is, or was, made active."""
        return any(v.source != "system" and v.state in ("active", "retired") for v in self.versions)

    def apply(self, recorded: Recorded[SeriesEvent]) -> "Series":
        """The series after one more event; pure."""
        versions = _FOLD[recorded.event.kind](self.versions, recorded.event)
        if isinstance(recorded.event, Edited):
            named = recorded.event.version_id
            versions = tuple(v.model_copy(update={"edited_by": recorded.by}) if v.id == named else v for v in versions)
        return self.model_copy(update={"versions": versions, "seq": recorded.seq})


Versions: TypeAlias = tuple[Version, ...]


def _seeded(versions: Versions, e: Seeded) -> Versions:
    if not e.active:
        return (*versions, e.version)
    return (*_states(versions, {}, active="retired"), e.version.model_copy(update={"state": "active"}))


def _drafted(versions: Versions, e: VersionDrafted) -> Versions:
    return (*versions, e.version)


def _edited(versions: Versions, e: Edited) -> Versions:
    update = {"text": e.text, "digest": e.digest, "guidance": e.guidance, "blanks": e.blanks}
    return tuple(
        v.model_copy(update={**update, "revision": v.revision + 1}) if v.id == e.version_id else v for v in versions
    )


def _activated(versions: Versions, e: Activated) -> Versions:
    return _states(versions, {e.version_id: "active"}, active="retired")


def _retired(versions: Versions, e: Retired) -> Versions:
    return _states(versions, {e.version_id: "retired"})


def _discarded(versions: Versions, e: Discarded) -> Versions:
    return _states(versions, {e.version_id: "discarded"})


def _states(versions: Versions, named: dict[str, State], active: State | None = None) -> Versions:
    def state(v: Version) -> State:
        return named.get(v.id) or (active if active and v.state == "active" else v.state)

    return tuple(v.model_copy(update={"state": state(v)}) for v in versions)


_FOLD: dict[str, Callable[[Versions, Any], Versions]] = {
    "seeded": _seeded, "version_drafted": _drafted, "edited": _edited, "activated": _activated,
    "retired": _retired, "discarded": _discarded,
}  # fmt: skip
