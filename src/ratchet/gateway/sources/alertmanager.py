"""Alertmanager's webhook, version 4, read into alerts: bounded, cleaned, and refused as a whole when it is garbage."""

import hashlib
import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, NoReturn, cast

from ratchet.domain.alert import Alert
from ratchet.domain.errors import Mistake, invalid

SOURCE = "alertmanager"
LONGEST_VALUE = 16_000
"""Characters of one label or annotation that are kept."""
MOST_LABELS = 200
LONGEST_NAME = 256
MARKER = "ratchet_truncated"
"""The label or annotation that says what was left out."""
_KEPT_FIRST = (
    "alertname", "severity", "target", "instance", "job", "service", "host", "datname", "database", "cluster",
    "summary", "description", "runbook_url",
)  # fmt: skip
_OPEN_END_YEAR = 1
"""Alertmanager writes the year 1 for an alert that has not ended."""


def parse(body: bytes) -> list[Alert]:
    """The alerts of one webhook call; raises Refusal(INVALID) that names every key that is missing or wrong."""
    document = _document(body)
    mistakes = [_missing(key) for key in ("version", "alerts") if key not in document]
    if not mistakes:
        mistakes = _shape(document)
    if mistakes:
        raise _garbage(mistakes)
    alerts: list[Alert] = []
    for n, item in enumerate(cast(list[Any], document["alerts"])):
        found = _alert(item, f"alerts[{n}]", document)
        if isinstance(found, Alert):
            alerts.append(found)
        else:
            mistakes.extend(found)
    if mistakes:
        raise _garbage(mistakes)
    return alerts


def clip(alert: Alert) -> Alert:
    """The alert with its texts bounded and free of characters that no database keeps."""
    return alert.model_copy(
        update={
            "source": _text(alert.source, LONGEST_NAME),
            "fingerprint": _text(alert.fingerprint, LONGEST_NAME),
            "labels": _labels(alert.labels),
            "annotations": _labels(alert.annotations),
            "generator_url": _text(alert.generator_url),
            "group_key": _text(alert.group_key),
        }
    )


def _document(body: bytes) -> dict[str, Any]:
    try:
        found: object = json.loads(body, parse_constant=_no_constant, parse_float=_finite)
    except (ValueError, RecursionError):
        raise invalid(
            "The body is not JSON that can be read.", "Send Alertmanager's own webhook body, version 4."
        ) from None
    if not isinstance(found, dict):
        raise _garbage([_wrong("body", "it is not a JSON object")])
    return cast(dict[str, Any], found)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("the number is out of range")
    return number


def _shape(document: Mapping[str, Any]) -> list[Mistake]:
    found: list[Mistake] = []
    if document["version"] != "4":
        found.append(_wrong("version", 'it is not "4"'))
    if not isinstance(document["alerts"], list):
        found.append(_wrong("alerts", "it is not a list"))
    return found


def _alert(item: object, where: str, group: Mapping[str, Any]) -> Alert | list[Mistake]:
    if not isinstance(item, dict):
        return [_wrong(where, "it is not an object")]
    fields = cast(dict[str, Any], item)
    labels, annotations = fields.get("labels", {}), fields.get("annotations", {})
    starts_at, ends_at = _time(fields.get("startsAt")), _time(fields.get("endsAt"))
    status = fields.get("status", group.get("status", "firing"))
    mistakes = [
        _wrong(f"{where}.{key}", words)
        for key, words, fits in (
            ("labels", "it is not an object", isinstance(labels, dict)),
            ("annotations", "it is not an object", isinstance(annotations, dict)),
            ("status", "it is neither firing nor resolved", status in ("firing", "resolved")),
            ("startsAt", "it is not a time such as 2026-11-20T02:03:04Z", starts_at is not None),
            ("endsAt", "it is not a time such as 2026-11-20T02:03:04Z", _may_end(fields.get("endsAt"))),
        )
        if not fits
    ]
    if mistakes or starts_at is None:
        return mistakes
    kept = _labels(cast(dict[str, Any], labels))
    return Alert(
        source=SOURCE,
        fingerprint=_text(fields.get("fingerprint") or "", LONGEST_NAME) or _fingerprint(kept),
        starts_at=starts_at,
        ends_at=ends_at,
        status=cast(Literal["firing", "resolved"], status),
        labels=kept,
        annotations={**_labels(cast(dict[str, Any], annotations)), **_left_out(group)},
        generator_url=_text(fields.get("generatorURL") or ""),
        group_key=_text(group.get("groupKey") or ""),
    )


def _time(value: object) -> datetime | None:
    """An aware time in UTC; None for what is not one, and for the year 1."""
    if not isinstance(value, str) or len(value) > 64:
        return None
    try:
        read = datetime.fromisoformat(value)
        moment = (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return None if moment.year == _OPEN_END_YEAR else moment


def _may_end(value: object) -> bool:
    return value is None or value == "" or str(value).startswith("0001-01-01T") or _time(value) is not None


def _labels(found: Mapping[str, Any]) -> dict[str, str]:
    """At most `MOST_LABELS`, those that say what and where first; a marker tells how many were left out."""
    if len(found) <= MOST_LABELS:
        return {_text(name, LONGEST_NAME): _text(value) for name, value in found.items()}
    first = [name for name in _KEPT_FIRST if name in found]
    rest = [name for name in found if name not in first]
    names = [*first, *rest][:MOST_LABELS]
    kept = {_text(name, LONGEST_NAME): _text(found[name]) for name in names}
    return {**kept, MARKER: f"{len(found) - len(names)} more were left out"}


def _text(value: object, longest: int = LONGEST_VALUE) -> str:
    """A text without NUL and lone surrogates, cut with a marker; anything else than text is written as JSON."""
    if isinstance(value, str) and value.isascii() and len(value) <= longest and "\0" not in value:
        return value
    whole = value if isinstance(value, str) else json.dumps(value)
    clean = whole[:longest].replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")
    return clean if len(whole) <= longest else f"{clean}...[truncated: {len(whole)} characters]"


def _fingerprint(labels: Mapping[str, str]) -> str:
    """A stand-in over the labels, for senders that give none; Alertmanager's own is over the labels too."""
    return hashlib.sha256(json.dumps(sorted(labels.items())).encode()).hexdigest()[:16]


def _left_out(group: Mapping[str, Any]) -> dict[str, str]:
    count = group.get("truncatedAlerts")
    return {MARKER: f"the sender left {count} alerts of this group out"} if isinstance(count, int) and count > 0 else {}


def _missing(key: str) -> Mistake:
    return Mistake(where=key, code="API002", message="it is missing", remedy="Let Alertmanager send its own body.")


def _wrong(where: str, words: str) -> Mistake:
    return Mistake(where=where, code="API003", message=words, remedy="Let Alertmanager send its own body, version 4.")


def _garbage(mistakes: list[Mistake]) -> Exception:
    named = ", ".join(f"{mistake.where} ({mistake.message})" for mistake in mistakes[:5])
    return invalid(
        f"This is not an Alertmanager webhook body of version 4: {named}.",
        "Use a plain `webhook_configs` receiver without a `payload` template.",
        mistakes[:50],
    )
