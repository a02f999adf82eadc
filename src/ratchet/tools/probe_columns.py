"""What a probe that is written in code says of itself, as the header of an SQL file does for the others."""

from collections.abc import Mapping

from ratchet.domain.noun import Noun


class CodeProbe(Noun):
    """A probe of a host or a pooler: its sentence, what it needs, and what each of its columns means."""

    name: str
    summary: str
    needs: str
    columns: Mapping[str, str]
    """Column name to its type and meaning; any value may be null."""
