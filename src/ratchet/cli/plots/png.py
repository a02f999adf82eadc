"""Paints a picture as PNG, twice as fine as its pixels, with Pillow and the font that it carries."""

from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

from ratchet.cli.plots.picture import Box, Picture

FINE = 2


def paint(picture: Picture) -> bytes:
    """The whole file; the same picture gives the same pixels."""
    image = Image.new("RGB", (picture.width * FINE, picture.height * FINE), "#ffffff")
    draw = ImageDraw.Draw(image)
    for each in picture.shapes:
        x, y = each.x * FINE, each.y * FINE
        if isinstance(each, Box):
            # The last pixel belongs to the rectangle; what is thinner than one pixel is one.
            right, bottom = x + each.width * FINE - 1, y + each.height * FINE - 1
            draw.rectangle((x, y, max(x, right), max(y, bottom)), fill=each.fill)
        else:
            font = ImageFont.load_default(each.size * FINE)
            draw.text((x, y), each.text, fill=each.fill, font=font, anchor="ls")
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
