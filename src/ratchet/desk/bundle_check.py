"""Checks an incident bundle without a house: signature, parts, events; and the chain when the key is at hand."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, cast

from pydantic import Field, ValidationError

from ratchet.desk.bundle import (
    CHAIN,
    CHECKPOINT,
    EVENTS,
    FORM,
    MANIFEST,
    SIGNATURE,
    packets_of,
    recorded,
    signed_message,
)
from ratchet.domain.errors import Refusal
from ratchet.domain.evidence import Evidence
from ratchet.domain.incident import Incident
from ratchet.domain.noun import Noun, digest_of
from ratchet.domain.telling import fold
from ratchet.security.seal import fingerprint, signed_by

LARGEST = 256 * 1024 * 1024
"""Bytes that a bundle may have. Its members are not compressed, so it cannot grow when it is opened."""
LISTED, CLOSING = 46, 22
"""Bytes that a zip has in its list for each member, beside the name, and at its end."""
Linking = Callable[[bytes, bytes], bytes]
"""The link of the house's chain over the link before it and the stored bytes; only the holder of the key has it."""


class BundleReport(Noun):
    """What a bundle is worth. `first_bad` is the number of the first bad event of the incident, if it is an event."""

    ok: bool
    incident: str = ""
    chain: str = Field(default="", pattern=r"^[0-9A-Za-z]{0,64}$")
    events: int = 0
    public_key: str = ""
    fingerprint: str = ""
    pinned: bool = False
    """Whether the key is the one that was expected, not merely the one in the file."""
    chain_checked: bool = False
    first_bad: int | None = None
    because: str = ""


class _Bad(Exception):
    """The bundle does not hold."""

    def __init__(self, because: str, first_bad: int | None = None) -> None:
        super().__init__(because)
        self.because = because
        self.first_bad = first_bad


class _Opened(NamedTuple):
    manifest: dict[str, Any]
    parts: dict[str, bytes]


def check_bundle(content: bytes, expected: str | None = None, linking: Linking | None = None) -> BundleReport:
    """Everything about a bundle; `expected` is the public key that must have signed it, when one is known."""
    known = BundleReport(ok=False)
    try:
        opened = _open(content)
        known = _named(opened.manifest, pinned=expected is not None)
        if expected is not None and expected.strip() != known.public_key:
            raise _Bad("it was signed by another key than the one that is known for this house")
        _check_parts(opened)
        _check_events(opened, linking)
        _check_contents(opened)
    except _Bad as bad:
        return known.model_copy(update={"first_bad": bad.first_bad, "because": bad.because})
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError, OverflowError, Refusal) as odd:
        return known.model_copy(update={"because": f"it cannot be read: {type(odd).__name__}"})
    return known.model_copy(update={"ok": True, "chain_checked": linking is not None})


def _named(manifest: Mapping[str, Any], *, pinned: bool) -> BundleReport:
    """What a signed manifest says of itself; raises ValueError or KeyError where it says it in another form."""
    said = {name: manifest[name] for name in ("incident", "chain", "events", "public_key")}
    return BundleReport(ok=False, **said, fingerprint=fingerprint(manifest["public_key"]), pinned=pinned)


def manifest_of(content: bytes) -> dict[str, Any]:
    """The manifest of a bundle, unchecked: to find out which key is to be expected. Empty when it cannot be read."""
    try:
        return _read(content).manifest
    except _Bad:
        return {}


def _open(content: bytes) -> _Opened:
    opened = _read(content)
    message = signed_message(opened.parts[MANIFEST])
    if not signed_by(opened.manifest["public_key"], message, opened.parts[SIGNATURE]):
        raise _Bad("the signature does not fit the manifest")
    return opened


def _read(content: bytes) -> _Opened:
    if len(content) > LARGEST:
        raise _Bad(f"it has more than {LARGEST} bytes")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as whole:
            members = whole.infolist()
            if any(each.compress_type != zipfile.ZIP_STORED for each in members):
                raise _Bad("a part is compressed; Ratchet writes none that are")
            if len({each.filename for each in members}) != len(members) or sum(m.file_size for m in members) > LARGEST:
                raise _Bad("its parts do not fit its size, or one is there twice")
            if not _nothing_else(content, members):
                raise _Bad("there are bytes in it that belong to none of its parts")
            parts = {each.filename: whole.read(each) for each in members}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError):
        raise _Bad("it is not a bundle, or it is damaged") from None
    try:
        manifest: Any = json.loads(parts.get(MANIFEST, b"{}"))
    except (ValueError, RecursionError):
        raise _Bad("its manifest cannot be read") from None
    if not isinstance(manifest, dict):
        raise _Bad("its manifest is no object")
    said = cast("dict[str, Any]", manifest)
    if said.get("form") != FORM or SIGNATURE not in parts:
        raise _Bad(f"it is not a bundle of the form {FORM}")
    return _Opened(said, parts)


def _nothing_else(content: bytes, members: Sequence[zipfile.ZipInfo]) -> bool:
    """Whether the file is its members, each behind its header, and their list: tools that read from the front must find
    nothing that the list does not name."""
    at = 0
    for member in sorted(members, key=lambda one: one.header_offset):
        header = member.FileHeader()
        if member.header_offset != at or member.extra or member.comment or not content.startswith(header, at):
            return False
        at += len(header) + member.file_size
    return len(content) == at + sum(LISTED + len(member.filename.encode()) for member in members) + CLOSING


def _check_parts(opened: _Opened) -> None:
    """Exactly what the signed manifest names, byte for byte; a changed event is named by its number."""
    listed: Mapping[str, str] = opened.manifest["parts"]
    there = set(opened.parts) - {MANIFEST, SIGNATURE}
    odd = sorted(there ^ set(listed))
    if odd:
        raise _Bad(f"the part {odd[0]} is {'missing' if odd[0] in listed else 'not named in the manifest'}")
    for name, digest in sorted(listed.items()):
        if hashlib.sha256(opened.parts[name]).hexdigest() != digest:
            raise _Bad(f"the part {name} was changed", _first_odd_event(opened) if name == EVENTS else None)


def _first_odd_event(opened: _Opened) -> int:
    """The first line that is no event, or not the next one, or says other than the checkpoint; else the last."""
    told = 0
    for number, stored in enumerate(opened.parts[EVENTS].splitlines(), start=1):
        try:
            good = recorded(stored).seq == number
        except (ValueError, KeyError, TypeError):
            good = False
        if not good:
            return number
        told = number
    return min(told + 1, int(opened.manifest["events"]))


def _check_events(opened: _Opened, linking: Linking | None) -> None:
    """Numbers, streams and positions in order; with the key, every link."""
    stored = opened.parts[EVENTS].splitlines()
    links = [json.loads(line) for line in opened.parts[CHAIN].splitlines()]
    if not len(stored) == len(links) == opened.manifest["events"]:
        raise _Bad("events are missing", min(len(stored), len(links)) + 1)
    position = 0
    for number, (line, link) in enumerate(zip(stored, links, strict=True), start=1):
        whole = json.loads(line)
        if (whole["seq"], whole["stream"]) != (number, f"incident/{opened.manifest['ulid']}"):
            raise _Bad("an event is missing, or belongs to another incident", number)
        if link["position"] <= position or link["seq"] != number:
            raise _Bad("the events are not in the order of the chain", number)
        position = link["position"]
        if linking is not None and linking(bytes.fromhex(link["previous"]), line).hex() != link["mac"]:
            raise _Bad("its link does not fit its bytes and the event before it", number)


def _check_contents(opened: _Opened) -> None:
    """What the parts say of each other: the fold, the approved digests, the evidence under its own digest."""
    timeline = [recorded(line) for line in opened.parts[EVENTS].splitlines()]
    told = fold(opened.manifest["ulid"], timeline, opened.manifest["tenant"])
    if told != Incident.model_validate_json(opened.parts[CHECKPOINT]):
        raise _Bad("the incident is not the fold of its events")
    for packet in packets_of(timeline):
        kept = json.loads(opened.parts[f"packets/{packet.id}.json"])
        if digest_of(kept) != packet.digest:
            raise _Bad(f"packet {packet.id} is not the one that was asked about")
    texts = {one.event.plan.playbook_digest for one in timeline if one.event.kind == "planned"}
    for name, content in opened.parts.items():
        if name.startswith("playbooks/") and "sha256:" + hashlib.sha256(content).hexdigest() not in texts:
            raise _Bad(f"{name} is not a text that was planned from")
        if name.startswith("evidence/") and not _is_itself(content):
            raise _Bad(f"{name} is not what its id says")


def _is_itself(content: bytes) -> bool:
    try:
        kept = Evidence.model_validate_json(content)
    except ValidationError:
        return False
    digest = digest_of(kept.model_dump(mode="json", exclude={"id"}))
    return kept.id == "ev_" + digest.removeprefix("sha256:")[:24]
