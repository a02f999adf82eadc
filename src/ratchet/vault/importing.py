"""A text from outside becomes a draft: claims to be active or approved are dropped, and nothing runs as it comes.

Where a text comes from and when it was read last stays in it, so that an export comes back byte for byte; here it
counts for nothing, and the notes say so.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, cast

from ratchet.domain.errors import invalid
from ratchet.domain.lines import read_sheet
from ratchet.domain.playbook import Playbook, Review
from ratchet.domain.ports import Shelf
from ratchet.domain.series import Version
from ratchet.domain.sheet import Path, Sheet
from ratchet.vault.canonical import canonical_text, text_digest
from ratchet.vault.files import PlaybookFiles
from ratchet.vault.foreign import form_of, outline_of
from ratchet.vault.outline import FileForm, Outline, drafted, follow_ups_of, guidance_of, left_out, symptoms_of
from ratchet.vault.shape import typed
from ratchet.vault.similar import nearest

CLAIMS = frozenset({
    "is_active", "active", "state", "status", "approved", "approved_by", "approvals", "activated", "activated_at",
    "activated_by", "certified", "certificate", "digest",
})  # fmt: skip
"""What a file may say of itself elsewhere; here only the vault's own events say it."""
_PLACES: tuple[Path, ...] = ((), ("metadata",), ("spec",))


class Read(NamedTuple):
    """What a text holds: the playbook, what was dropped or left blank, and the version that it adds to, if any."""

    playbook: Playbook
    notes: tuple[str, ...]
    near: Version | None = None
    arrived: str = ""
    """The digest of the text as it came."""


def read_text(text: str, where: str, form: FileForm | None, known: tuple[PlaybookFiles, Shelf]) -> Read:
    """The playbook that a text becomes. Raises Refusal(INVALID) with every mistake."""
    files, shelf = known
    found = form or form_of(text)
    read = _own(text, where, files) if found == "ratchet" else _foreign(outline_of(text, found, where), shelf)
    return read._replace(arrived=text_digest(text))


def _foreign(outline: Outline, shelf: Shelf) -> Read:
    library = shelf.candidates("postgres")
    near = nearest(outline.title, outline.symptoms, library)
    if near is None:
        playbook = drafted(outline)
        blank = "every condition and step is blank: commands were taken over as words only"
        return Read(playbook, (blank, *left_out(outline)))
    base = next(playbook for version, playbook in library if version.id == near.id)
    notes = (f"{near.pin} speaks of the same: this is offered as a version of it, with the file's words added",)
    return Read(_added(base, outline), (*notes, *left_out(outline)), near)


def same_text(versions: Sequence[Version], read: Read) -> Version | None:
    """The version that this text already is or has become, thrown away ones aside: the same file came before, or it
    holds the same but for its number and what a file does not say of itself."""
    kept = [one for one in versions if one.state != "discarded"]
    came = next((one for one in kept if one.arrived == read.arrived), None)
    bare = _bare(read.playbook)
    return came or next((one for one in kept if _holds(one, bare)), None)


def _holds(version: Version, bare: Playbook) -> bool:
    if version.guidance != bare.spec.guidance:
        return False
    found = typed(read_sheet(version.text, version.pin)[0])[0]
    return found is not None and _bare(found) == bare


def _bare(playbook: Playbook) -> Playbook:
    metadata = playbook.metadata.model_copy(update={"version": "0.0", "derived_from": {}, "source": "imported"})
    spec = playbook.spec.model_copy(update={"review": Review(every=playbook.spec.review.every)})
    return playbook.model_copy(update={"metadata": metadata, "spec": spec})


def _own(text: str, where: str, files: PlaybookFiles) -> Read:
    sheet, broken = read_sheet(text, where)
    sheet, dropped = _without_claims(sheet)
    playbook = files.load_sheet(sheet, broken)
    told = (f"dropped {'.'.join(map(str, path))}: only a person's activation says so" for path in dropped)
    return Read(playbook, (*told, *_hearsay(playbook)))


def _hearsay(playbook: Playbook) -> Iterator[str]:
    """What a text says of its past, which happened elsewhere if it did."""
    if playbook.metadata.derived_from:
        said = ", ".join(f"{name} {value}" for name, value in playbook.metadata.derived_from.items())
        yield f"metadata.derived_from is the file's own word: {said}"
    review = playbook.spec.review
    if review.last is not None or review.by is not None:
        yield "spec.review says when it was read elsewhere; here its review is due from its activation"


def _without_claims(sheet: Sheet) -> tuple[Sheet, list[Path]]:
    """The sheet without what a file claims about itself, and which keys those were."""
    dropped: list[Path] = []
    data = dict(sheet.fields())
    if not data:
        return sheet, dropped
    for place in _PLACES:
        inside: Any = data.get(str(place[0])) if place else data
        if not isinstance(inside, Mapping):
            continue
        fields = cast(Mapping[str, Any], inside)
        gone = [key for key in fields if key in CLAIMS]
        dropped += [(*place, key) for key in gone]
        kept = {key: value for key, value in fields.items() if key not in CLAIMS}
        data = {**data, str(place[0]): kept} if place else kept
    return replace(sheet, data=data), dropped


def _added(base: Playbook, outline: Outline) -> Playbook:
    """The playbook with the words of a file that says the same: symptoms, guidance, prevention; nothing that acts."""
    spec = base.spec
    symptoms = dict.fromkeys([*spec.symptoms, *symptoms_of(outline)])
    known = {item.title.casefold() for item in spec.follow_ups}
    more = tuple(item for item in follow_ups_of(outline) if item.title.casefold() not in known)
    said = guidance_of(outline)
    guidance = spec.guidance if said.strip() in spec.guidance else f"{spec.guidance.rstrip()}\n\n{said}".lstrip()
    update = {"symptoms": tuple(symptoms), "follow_ups": (*spec.follow_ups, *more), "guidance": guidance}
    metadata = base.metadata.model_copy(
        update={"source": "imported", "derived_from": {"playbook": base.pin, "form": outline.form}}
    )
    return base.model_copy(update={"metadata": metadata, "spec": spec.model_copy(update=update)})


def check_typed(playbook: Playbook, where: str) -> None:
    """Raise Refusal(INVALID) unless the canonical text reads back as the same playbook."""
    again, mistakes = typed(read_sheet(canonical_text(playbook), where)[0])
    if again != playbook:
        raise invalid(f"{where} does not read back as what it says.", "Write it in plainer words.", mistakes)
