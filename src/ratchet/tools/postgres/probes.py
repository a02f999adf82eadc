"""The shelf of read probes: loads the files of some directories, and finds the text for a server's version."""

from collections.abc import Mapping, Sequence
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType

from ratchet.domain.errors import Mistake, invalid, not_found
from ratchet.tools.postgres.probe_header import HeaderReader
from ratchet.tools.postgres.probe_spec import ArgSpec, ColumnSpec, ProbeSpec, Scalar, VersionRange, bind

__all__ = ["ArgSpec", "ColumnSpec", "ProbeShelf", "ProbeSpec", "Scalar", "VersionRange", "bind"]

_LARGEST_FILE = 65_536


class ProbeShelf:
    """All registered read probes of one target kind, by name and server version. Built once, never changed."""

    def __init__(self, specs: Mapping[str, tuple[ProbeSpec, ...]]) -> None:
        self._specs = MappingProxyType(dict(specs))

    @staticmethod
    def load(directories: Sequence[Traversable | Path]) -> "ProbeShelf":
        """Read every `*.sql` of the directories, each named by its target kind (`.../probes/postgres`).

        Raises one Refusal with all mistakes of all files. A later directory adds probes; it cannot replace one.
        """
        mistakes: list[Mistake] = []
        specs: dict[str, tuple[ProbeSpec, ...]] = {}
        for directory in directories:
            for file in sorted(directory.iterdir(), key=lambda entry: entry.name):
                if file.name.endswith(".sql"):
                    _shelve(file, directory.name, specs, mistakes)
        if mistakes:
            count = f"{len(mistakes)} mistake{'s' if len(mistakes) > 1 else ''}"
            raise invalid(f"The probe files hold {count}.", "Mend the lines named.", mistakes)
        return ProbeShelf(specs)

    def names(self) -> tuple[str, ...]:
        """All probe names, sorted."""
        return tuple(sorted(self._specs))

    def spec(self, name: str, server_version_num: int) -> ProbeSpec:
        """The probe for a server such as 150018. Raises Refusal when it is not known or not made for that version."""
        variants = self.variants(name)
        major = server_version_num // 10_000
        for variant in variants:
            if variant.versions.holds(major):
                return variant
        ranges = ", ".join(str(variant.versions) for variant in variants)
        raise not_found(f"form of {name} for PostgreSQL", str(major), f"It is written for {ranges}.")

    def variants(self, name: str) -> tuple[ProbeSpec, ...]:
        """Every version's form of a probe. Raises Refusal for an unknown name."""
        if name not in self._specs:
            raise not_found("probe", name, "List the probes to see their names.")
        return self._specs[name]

    def columns(self, name: str) -> frozenset[str]:
        """The columns a probe may yield, over all versions."""
        return frozenset(column for variant in self.variants(name) for column in variant.column_names)

    def privileges(self) -> frozenset[str]:
        """Every privilege that some probe asks for."""
        return frozenset(word for forms in self._specs.values() for form in forms for word in form.privileges)


def _shelve(
    file: Traversable | Path, kind: str, specs: dict[str, tuple[ProbeSpec, ...]], mistakes: list[Mistake]
) -> None:
    where = f"{kind}/{file.name}"
    raw = file.read_bytes()
    try:
        text = raw.decode("utf-8") if len(raw) <= _LARGEST_FILE else ""
    except UnicodeDecodeError:
        text = ""
    if not text:
        remedy = f"Write UTF-8 text of at most {_LARGEST_FILE} bytes."
        mistakes.append(
            Mistake(where=where, line=1, message="the file is empty, too large or not UTF-8", remedy=remedy)
        )
        return
    reader = HeaderReader(where, kind, file.name.removesuffix(".sql"))
    spec = reader.read(text)
    mistakes.extend(reader.mistakes)
    if spec is None:
        return
    known = specs.get(spec.name, ())
    clash = next((other for other in known if other.versions.overlaps(spec.versions)), None)
    if clash is not None:
        message = f"{spec.name} for versions {spec.versions} stands already in {clash.file} ({clash.versions})"
        remedy = "Choose another file name, or versions that do not overlap."
        mistakes.append(Mistake(where=where, line=1, message=message, remedy=remedy))
        return
    specs[spec.name] = (*known, spec)
