"""A text from outside becomes a draft: claims to be active or approved are dropped, and nothing runs as it comes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, cast

from ratchet.domain.errors import invalid
from ratchet.domain.playbook import Playbook
from ratchet.domain.ports import Shelf
from ratchet.domain.series import Version
from ratchet.vault.canonical import canonical_text, text_digest
from ratchet.vault.files import PlaybookFiles
from ratchet.vault.foreign import form_of, outline_of
from ratchet.vault.lines import read_sheet
from ratchet.vault.outline import FileForm, Outline, drafted, follow_ups_of, guidance_of, symptoms_of
from ratchet.vault.shape import typed
from ratchet.vault.sheet import Path, Sheet
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


def read_text(text: str, where: str, form: FileForm | None, known: tuple[PlaybookFiles, Shelf]) -> Read:
    """The playbook that a text becomes. Raises Refusal(INVALID) with every mistake."""
    files, shelf = known
    found = form or form_of(text)
    if found == "ratchet":
        return _own(text, where, files)
    outline = outline_of(text, found, where)
    library = shelf.candidates("postgres")
    near = nearest(outline.title, outline.symptoms, library)
    if near is None:
        playbook = drafted(outline)
        return Read(playbook, ("every condition and step is blank: commands were taken over as words only",))
    base = next(playbook for version, playbook in library if version.id == near.id)
    notes = (f"{near.pin} speaks of the same: this is offered as a version of it, with the file's words added",)
    return Read(_added(base, outline), notes, near)


def same_text(versions: Sequence[Version], playbook: Playbook) -> Version | None:
    """The version that this text already is, thrown away ones aside."""
    digest = text_digest(canonical_text(playbook))
    return next((one for one in versions if one.digest == digest and one.state != "discarded"), None)


def _own(text: str, where: str, files: PlaybookFiles) -> Read:
    sheet, broken = read_sheet(text, where)
    sheet, dropped = _without_claims(sheet)
    playbook = files.load_sheet(sheet, broken)
    notes = tuple(f"dropped {'.'.join(map(str, path))}: only a person's activation says so" for path in dropped)
    return Read(playbook, notes)


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
    guidance = f"{spec.guidance.rstrip()}\n\n{guidance_of(outline)}".lstrip()
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
