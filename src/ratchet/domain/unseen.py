"""Characters that nobody sees, and those that steer a terminal or turn the direction of writing around; pure."""

import re
import unicodedata

UNSEEN = re.compile(
    r"[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028\u2029\u2060-\u206f\u3164\ufe00-\ufe0f"
    r"\u2800\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Characters without width or shape: text could hide in them."""
STEERS = re.compile(rf"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]|{UNSEEN.pattern}")
"""Those and everything that steers a terminal; tabs and line feeds are the writer's own."""


def called(character: str) -> str:
    """`U+202E (RIGHT-TO-LEFT OVERRIDE)`, so that it can be searched for; controls have no name of their own."""
    name = unicodedata.name(character, "a control character" if ord(character) < 0xA0 else "")
    return f"U+{ord(character):04X}{f' ({name})' if name else ''}"
