"""The shapes by which a secret that we do not hold is recognised; every pattern runs in linear time.

Each pattern names the part that is secret `s`; what stands around it stays, so that a person can still read the line.
"""

import re

_VALUE = r"""(?:"(?P<d>[^"]+)|'(?P<q>(?:[^']|'')+)|(?P<s>[^\s,;&"'(){}]+))"""
"""A value up to its closing quote, or to the end of the line when there is none."""
_STRONG = r"passwd|password|passphrase|pwd|(?<!\[)secret|api[_-]?key|access[_-]?key|private[_-]?key|secret[_-]?key"
_KEY_END = r"""(?:[_-]?(?:id|value))?["']?"""

WHOLE: tuple[re.Pattern[str], ...] = (
    re.compile(
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?P<s>.*?)"
        r"(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z)",
        re.DOTALL,
    ),
)
"""Shapes that span lines; run over the whole text."""

_PLAIN = r"""\b(?:password|identified\s{1,4}by)\s{1,4}E?'(?P<s>(?:[^']|'')+)"""
_KEYED = rf"(?:{_STRONG}){_KEY_END}\s{{0,4}}(?:=>|[=:])\s{{0,4}}{_VALUE}"
_WEAKLY_KEYED = rf"(?:token|(?<![A-Za-z])pass)[\"']?\s{{0,4}}=\s{{0,4}}{_VALUE}"
_SCRAM = r"SCRAM-SHA-256\$(?P<s>\d{1,9}:[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=:]+)"
_HEADER = r"""(?:\bbearer\s{1,4}|authorization["']?\s{0,4}[:=]\s{0,4}["']?\w{1,16}\s{1,4})(?P<s>[\w.~+/=-]{16,})"""
_PGPASS = r"^[^\s:#]{1,255}:(?:\d{1,5}|\*):[^\s:]{1,64}:[^\s:]{1,64}:(?P<s>(?:\\.|[^:\\\s])+)$"

LINE: tuple[tuple[tuple[str, ...], re.Pattern[str]], ...] = (
    (("://",), re.compile(r"://[^\s:/@?#]{0,128}:(?P<s>[^\s/?#]+)@")),
    (("scram-",), re.compile(_SCRAM, re.IGNORECASE)),
    (("md5",), re.compile(r"(?<![A-Za-z0-9])md5(?P<s>[0-9a-f]{32})(?![0-9a-f])", re.IGNORECASE)),
    (("bearer", "authorization"), re.compile(_HEADER, re.IGNORECASE)),
    (("akia", "asia"), re.compile(r"\b(?P<s>(?:AKIA|ASIA)[0-9A-Z]{16})\b")),
    (("eyj",), re.compile(r"\b(?P<s>eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*)")),
    (("rtk_",), re.compile(r"(?P<s>rtk_[\w-]{43})")),
    (("password", "identified"), re.compile(_PLAIN, re.IGNORECASE)),
    (("pass", "pwd", "secret", "key"), re.compile(_KEYED, re.IGNORECASE)),
    (("token", "pass"), re.compile(_WEAKLY_KEYED, re.IGNORECASE)),
    (("token",), re.compile(r"""token["']\s{0,4}:\s{0,4}["'](?P<s>[^"']+)""", re.IGNORECASE)),
    ((":",), re.compile(_PGPASS)),
)
"""Shapes within one line, each after the lower-case words of which one must be there at all."""

SECRET_KEY = re.compile(
    r".*(?:password|passwd|passphrase|pwd)|(?:.*[_-])?(?:secret|token|api_?key|private_?key|access_?key|secret_?key)",
    re.IGNORECASE,
)
"""Column and label names whose text is a secret whatever it looks like."""
