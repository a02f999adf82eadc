"""The incident bundle: all about one incident in one file, signed, so that it can be checked where Ratchet is not.

The file is a zip whose members are stored without compression: each part opens with ordinary tools, the events stand
there as the very bytes that the chain covers, and the same incident gives the same file to the byte.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter

from ratchet.domain.audit import AuditEntry, AuditKey, Trail
from ratchet.domain.gate import DecisionPacket
from ratchet.domain.incident import Incident
from ratchet.domain.noun import canonical
from ratchet.domain.ports import Store
from ratchet.domain.series import Version
from ratchet.domain.telling import fold
from ratchet.domain.timeline import Asked, Event, Recorded

FORM = "ratchet.bundle/1"
MANIFEST, SIGNATURE, READ_ME = "manifest.json", "manifest.sig", "README.txt"
EVENTS, CHAIN, CHECKPOINT, APPROVALS = "events.jsonl", "chain.jsonl", "incident.json", "approvals.json"
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest date a zip can hold: a member has no time of its own."""
_EVENT: TypeAdapter[Event] = TypeAdapter(Event)
_WORDS = """This is one incident of Ratchet, whole.

manifest.json   what is in here, with SHA-256 of every part, where in the chain it lies, and the public key of the house
manifest.sig    the house's Ed25519 signature over "ratchet.bundle/1", a line feed, and the bytes of manifest.json
events.jsonl    the events, one per line, as the exact bytes that the chain of the house covers
chain.jsonl     per event its position in that chain, the link before it and its own link (HMAC-SHA256)
incident.json   the incident as folded from the events
approvals.json  who said yes or no to which digest
packets/        the decision packets, in the canonical form (RFC 8785) whose SHA-256 was approved
evidence/       what the probes saw, as captured
playbooks/      the playbook texts that were used, under the digest that the packets name

Check it with `ratchet audit verify FILE`; without the house's own key the signature is checked, with it the chain too.
"""


def gather(store: Store, trail: Trail, incident: Incident) -> bytes:
    """The bundle of one incident as its events tell it now.

    All of it comes out of one reading of the events: what is written meanwhile is in the next bundle, whole. Nothing is
    signed that is not as it was written; raises Refusal(FAILED).
    """
    entries = trail.of_stream(incident.stream)
    timeline = [recorded(entry.stored) for entry in entries]
    told = fold(incident.id, timeline, incident.tenant)
    parts = {
        READ_ME: _WORDS.encode(),
        EVENTS: b"".join(entry.stored.encode("ascii") + b"\n" for entry in entries),
        CHAIN: b"".join(_json(_link(entry)) + b"\n" for entry in entries),
        CHECKPOINT: _json(told.model_dump(mode="json")),
        APPROVALS: _json([*_answers(timeline)]),
        **{f"packets/{one.id}.json": canonical(one.model_dump(mode="json")) for one in packets_of(timeline)},
        **{f"evidence/{one.id}.json": _json(one.model_dump(mode="json")) for one in store.evidence(_cited(entries))},
        **{f"playbooks/{one.pin}.yaml": one.text.encode() for one in _versions(store, timeline)},
    }
    manifest = _json(_manifest(trail.key(), told, entries, parts))
    signature = trail.sign(signed_message(manifest))
    return pack({MANIFEST: manifest, SIGNATURE: signature, **dict(sorted(parts.items()))})


def signed_message(manifest: bytes) -> bytes:
    """What the signature of a bundle is over."""
    return FORM.encode() + b"\n" + manifest


def pack(parts: Mapping[str, bytes]) -> bytes:
    """A zip of these parts, in this order, that depends on nothing else."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as whole:
        for name, content in parts.items():
            member = zipfile.ZipInfo(name, _EPOCH)
            member.create_system, member.external_attr = 3, 0o644 << 16
            whole.writestr(member, content)
    return out.getvalue()


def recorded(stored: str | bytes) -> Recorded[Event]:
    """The event in its stored bytes; raises ValueError, KeyError or TypeError for anything else."""
    whole = json.loads(stored)
    event = _EVENT.validate_python(whole["body"])
    return Recorded[Event].model_validate({"seq": whole["seq"], "at": whole["at"], "by": whole["by"], "event": event})


def _manifest(
    key: AuditKey, incident: Incident, entries: Sequence[AuditEntry], parts: Mapping[str, bytes]
) -> dict[str, Any]:
    """Nothing in it changes while the incident does not, so that the file can be known by its digest."""
    return {
        "form": FORM, "incident": incident.name, "ulid": incident.id, "tenant": incident.tenant, "chain": key.chain,
        "events": len(entries), "first_position": entries[0].position, "last_position": entries[-1].position,
        "public_key": key.public,
        "parts": {name: hashlib.sha256(content).hexdigest() for name, content in sorted(parts.items())},
    }  # fmt: skip


def _link(entry: AuditEntry) -> dict[str, Any]:
    return {"position": entry.position, "seq": entry.seq, "previous": entry.previous, "mac": entry.mac}


def packets_of(timeline: Iterable[Recorded[Event]]) -> list[DecisionPacket]:
    """Every packet that was asked about, in order."""
    return [one.event.packet for one in timeline if isinstance(one.event, Asked)]


def _answers(timeline: Iterable[Recorded[Event]]) -> Iterable[dict[str, Any]]:
    for one in timeline:
        if one.event.kind in ("granted", "refused", "covered"):
            yield {"at": one.at.isoformat(), "by": one.by, **one.event.model_dump(mode="json")}


def _cited(entries: Iterable[AuditEntry]) -> list[str]:
    """The evidence that any event names, wherever it names it."""
    found = {text for entry in entries for text in _texts(entry.body) if text.startswith("ev_")}
    return sorted(found)


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():  # pyright: ignore[reportUnknownVariableType] - JSON of any shape
            yield from _texts(part)
    elif isinstance(value, Sequence):
        for part in value:  # pyright: ignore[reportUnknownVariableType] - as above
            yield from _texts(part)


def _versions(store: Store, timeline: Iterable[Recorded[Event]]) -> list[Version]:
    """The texts that plans were made from; a version that was thrown away still stands in its series."""
    ids = {one.event.plan.version_id for one in timeline if one.event.kind == "planned"}
    found = (store.series_of(version_id).find(version_id) for version_id in sorted(ids))
    return [version for version in found if version is not None]


def _json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")
