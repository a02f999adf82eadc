"""Which file holds which kind of picture, and how it is written."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from ratchet.cli.plots.picture import Picture
from ratchet.cli.plots.svg import paint as svg
from ratchet.cli.table import PNG, load
from ratchet.domain.errors import Code, Refusal, invalid

Paint: TypeAlias = Callable[[Picture], bytes]


def painter(path: Path) -> Paint:
    """How a file of that name is painted; Refusal(INVALID) for other names, and where what paints it is missing."""
    match path.suffix.lower():
        case ".svg":
            return svg
        case ".png":
            return _png()
        case _:
            raise invalid(f"{path.name} does not say which kind of picture it is.", "Name it .svg or .png.")


def write(path: Path, paint: Paint, picture: Picture) -> None:
    """Raises Refusal(FAILED) where the file cannot be written."""
    try:
        path.write_bytes(paint(picture))
    except OSError as failed:
        raise Refusal(Code.FAILED, f"{path} cannot be written: {failed.strerror}.", "Name another file.") from None


def _png() -> Paint:
    try:
        return load(PNG)
    except ModuleNotFoundError as missing:
        message = f"A PNG is painted by Pillow, which is not installed here ({missing.name})."
        raise invalid(message, "Install it: pip install 'ratchet[plots]'; or name the file .svg.") from None
