"""Small wordings: times, shares, and texts made safe for a terminal."""

from datetime import UTC, datetime

ELLIPSIS = "..."


def clean(text: object) -> str:
    """One line without control characters: what a monitor or a database says must not steer a terminal."""
    return "".join(_safe(character) for character in str(text))


def clean_lines(text: str) -> list[str]:
    """The lines of a text, each without control characters."""
    return [clean(line) for line in text.replace("\r\n", "\n").split("\n")]


def _safe(character: str) -> str:
    if character in "\t\n\r":
        return " "
    number = ord(character)
    # C0 and C1 controls, and the marks that turn the direction of writing around.
    hidden = number < 32 or 127 <= number < 160 or 0x202A <= number <= 0x202E or 0x2066 <= number <= 0x2069
    return "\ufffd" if hidden else character


def share(number: float) -> str:
    """A confidence as a percentage."""
    return f"{number:.0%}"


def clock(moment: datetime | None) -> str:
    """`02:19:04`, in UTC."""
    return "-" if moment is None else moment.astimezone(UTC).strftime("%H:%M:%S")


def day(moment: datetime | None) -> str:
    """`2026-11-20 02:19:04 UTC`."""
    return "-" if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def span(seconds: float) -> str:
    """`41s`, `12m`, `3h 10m`, `4d`: how long, in the unit a person would use."""
    whole = max(0, int(seconds))
    if whole < 120:
        return f"{whole}s"
    if whole < 7200:
        return f"{whole // 60}m"
    if whole < 172_800:
        return f"{whole // 3600}h {whole % 3600 // 60:02d}m"
    return f"{whole // 86_400}d"


def ago(moment: datetime | None, now: datetime) -> str:
    """How long ago a moment was."""
    return "-" if moment is None else f"{span((now - moment).total_seconds())} ago"


def until(moment: datetime, now: datetime) -> str:
    """`in 8m`, or `expired`."""
    left = (moment - now).total_seconds()
    return f"in {span(left)}" if left > 0 else "expired"


def short_digest(digest: str) -> str:
    """`sha256:` and twelve characters: enough to name a packet by."""
    scheme, _, number = digest.partition(":")
    return f"{scheme}:{number[:12]}"


def values(row: dict[str, object], most: int = 12) -> str:
    """A row as `name=value` pairs."""
    shown = [f"{name}={'-' if value is None else value}" for name, value in list(row.items())[:most]]
    return "  ".join(shown) + (f"  {ELLIPSIS}" if len(row) > most else "")
