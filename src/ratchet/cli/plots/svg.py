"""Paints a picture as SVG 1.1: rectangles, and text in a font that the reader has."""

from xml.sax.saxutils import escape

from ratchet.cli.plots.picture import Box, Picture, Word


def paint(picture: Picture) -> bytes:
    """The whole file, in UTF-8."""
    width, height, title = picture.width, picture.height, escape(picture.title)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    lines = [
        f'{head} role="img" font-family="system-ui, sans-serif">',
        f"<title>{title}</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        *(_box(each) if isinstance(each, Box) else _word(each) for each in picture.shapes),
        "</svg>",
    ]
    return ("\n".join(lines) + "\n").encode()


def _box(box: Box) -> str:
    place = f'x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{box.height:g}"'
    return f'<rect {place} fill="{box.fill}"/>'


def _word(word: Word) -> str:
    place = f'x="{word.x:g}" y="{word.y:g}" font-size="{word.size}"'
    return f'<text {place} fill="{word.fill}">{escape(word.text)}</text>'
