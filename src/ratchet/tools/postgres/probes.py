"""The shelf of read probes: loads the files of some directories, and finds the text for a server's version."""

from collections.abc import Mapping, Sequence
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType

from ratchet.domain.errors import Mistake, invalid, not_found
from ratchet.tools.postgres.probe_fragments import fragments_of, sql_files, text_of
from ratchet.tools.postgres.probe_header import NO_READ, PLAIN, HeaderReader, judged
from ratchet.tools.postgres.probe_spec import ArgSpec, ColumnSpec, ProbeSpec, Scalar, VersionRange, bind

__all__ = ["ArgSpec", "ColumnSpec", "ProbeShelf", "ProbeSpec", "Scalar", "VersionRange", "bind"]


class ProbeShelf:
    """All registered read probes of one target kind, by name and server version. Built once, never changed."""

    def __init__(self, specs: Mapping[str, tuple[ProbeSpec, ...]]) -> None:
        self._specs = MappingProxyType(dict(specs))

    @staticmethod
    def load(directories: Sequence[Traversable | Path], *, judged_late: bool = False) -> "ProbeShelf":
        """Read every `*.sql` of the directories, each named by its target kind (`.../probes/postgres`).

        What several files of a directory share stands in `shared/` inside it, included by name.
        Raises one Refusal with all mistakes of all files. A later directory adds probes; it cannot replace one.
        With `judged_late` the SQL of the first directory, the shipped one, is judged when its probe is first asked
        for and not here: parsing all of it would take a fifth of the time from start to ready.
        """
        mistakes: list[Mistake] = []
        specs: dict[str, tuple[ProbeSpec, ...]] = {}
        for number, directory in enumerate(directories):
            late = judged_late and number == 0
            fragments = fragments_of(directory, mistakes)
            for file in sql_files(directory):
                where = f"{directory.name}/{file.name}"
                text = text_of(file, where, mistakes)
                if text:
                    _shelve(text, HeaderReader(where, directory.name, fragments, late=late), specs, mistakes)
        if mistakes:
            count = f"{len(mistakes)} mistake{'s' if len(mistakes) > 1 else ''}"
            raise invalid(f"The probe files hold {count}.", "Mend the lines named.", mistakes)
        return ProbeShelf(specs)

    def names(self) -> tuple[str, ...]:
        """All probe names, sorted."""
        return tuple(sorted(self._specs))

    def spec(self, name: str, server_version_num: int) -> ProbeSpec:
        """The probe for a server such as 150018. Raises Refusal: unknown, not made for that version, or no read."""
        variants = self.variants(name)
        major = server_version_num // 10_000
        for variant in variants:
            if variant.versions.holds(major):
                return _known_read(variant)
        ranges = ", ".join(str(variant.versions) for variant in variants)
        raise not_found(f"form of {name} for PostgreSQL", str(major), f"It is written for {ranges}.")

    def sole(self, name: str) -> ProbeSpec:
        """A probe that is asked before the server's version is known, so one form serves all. Raises Refusal."""
        return _known_read(self.variants(name)[0])

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


def _known_read(spec: ProbeSpec) -> ProbeSpec:
    """The probe itself, once its SQL is known to be a harmless read; a text is judged once."""
    reasons = judged(spec.name, spec.sql)
    if reasons:
        raise invalid(f"{spec.file}: {NO_READ}: {'; '.join(reasons)}.", PLAIN)
    return spec


def _shelve(text: str, reader: HeaderReader, specs: dict[str, tuple[ProbeSpec, ...]], mistakes: list[Mistake]) -> None:
    spec = reader.read(text)
    mistakes.extend(reader.mistakes)
    if spec is None:
        return
    known = specs.get(spec.name, ())
    clash = next((other for other in known if other.versions.overlaps(spec.versions)), None)
    if clash is not None:
        message = f"{spec.name} for versions {spec.versions} stands already in {clash.file} ({clash.versions})"
        remedy = "Choose another file name, or versions that do not overlap."
        mistakes.append(Mistake(where=reader.file, line=1, message=message, remedy=remedy))
        return
    specs[spec.name] = (*known, spec)
