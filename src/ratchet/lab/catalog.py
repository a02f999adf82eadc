"""Reads the fault files, ours and a site's own, and shows everything wrong with them at once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from ratchet.domain.errors import Mistake, invalid, not_found
from ratchet.domain.fault import Fault, FaultCheck, FaultStep
from ratchet.domain.lines import read_sheet
from ratchet.domain.noun import Noun
from ratchet.domain.sheet import Path as Place
from ratchet.domain.sheet import Sheet
from ratchet.lab.checks import CHECKS
from ratchet.lab.injectors import INJECTORS

SUFFIX = ".fault.yaml"
LARGEST = 256 * 1024
SEE = "Compare the file with those in ratchet/library/faults."


@dataclass(frozen=True)
class Catalog:
    """Every known fault by id."""

    faults: Mapping[str, Fault]

    def find(self, name: str) -> Fault:
        """The fault with that id or alias; a refusal names the known ids."""
        found = self.faults.get(name) or next((each for each in self.faults.values() if each.answers_to(name)), None)
        if found is None:
            raise not_found("fault", name, f"Known: {', '.join(sorted(self.faults))}.")
        return found


class FaultsOnDemand(Mapping[str, Fault]):
    """Every known fault by id, read at the first question: a line about incidents has no use for them.

    Whoever asks first meets what is wrong with the files, as the Refusal of `load_catalog`.
    """

    def __init__(self, overlays: Sequence[Path] = ()) -> None:
        self._overlays = tuple(overlays)

    @cached_property
    def _known(self) -> Mapping[str, Fault]:
        return load_catalog(self._overlays).faults

    def __getitem__(self, name: str) -> Fault:
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


def load_catalog(overlays: Sequence[Path] = ()) -> Catalog:
    """Our faults, then those of each overlay directory; a later file of the same id takes the earlier one's place."""
    faults: dict[str, Fault] = {}
    mistakes: list[Mistake] = []
    library = files("ratchet").joinpath("library", "faults")
    for place in (library, *overlays):
        for source in _fault_files(place):
            fault, wrong = read_fault(source)
            mistakes += wrong
            if fault is not None:
                faults[fault.id] = fault
    mistakes += _shared_names(faults)
    if mistakes:
        raise invalid(f"{len(mistakes)} mistakes in the fault files.", "Mend the lines named.", mistakes)
    return Catalog(faults)


def read_fault(source: Traversable) -> tuple[Fault | None, list[Mistake]]:
    """One file: the fault, or None with everything that is wrong with it."""
    raw = source.read_bytes()
    if len(raw) > LARGEST:
        return None, [_mistake(source.name, None, "FL001", f"the file holds more than {LARGEST} bytes", SEE)]
    fault, mistakes = _read(source.name, raw)
    return fault, list(mistakes)


@lru_cache(maxsize=256)
def _read(source: str, raw: bytes) -> tuple[Fault | None, tuple[Mistake, ...]]:
    try:
        sheet, broken = read_sheet(raw.decode("utf-8"), source)
    except UnicodeDecodeError:
        return None, (_mistake(source, None, "FL001", "the file is not UTF-8", "Save it as UTF-8."),)
    mistakes = [each.model_copy(update={"code": "FL001"}) for each in broken]
    if not isinstance(sheet.data, dict):
        return None, tuple(mistakes) or (_mistake(source, 1, "FL001", "the file is not a mapping", SEE),)
    fault: Fault | None = None
    try:
        fault = Fault.model_validate(sheet.fields())
    except ValidationError as refused:
        mistakes += _refused(sheet, refused, ())
    mistakes += _unknown_names(sheet)
    if fault is not None and source != f"{fault.id}{SUFFIX}":
        remedy = f"Name the file {fault.id}{SUFFIX}."
        mistakes.append(_mistake(source, 1, "FL004", f"the file's name does not carry its id {fault.id!r}", remedy))
    return (None if mistakes else fault), tuple(mistakes)


def _fault_files(place: Traversable) -> list[Traversable]:
    if not place.is_dir():
        return []
    return sorted((each for each in place.iterdir() if each.name.endswith(SUFFIX)), key=lambda each: each.name)


def _refused(sheet: Sheet, refused: ValidationError, below: Place) -> list[Mistake]:
    found: list[Mistake] = []
    for each in refused.errors(include_url=False, include_input=False):
        path = (*below, *each["loc"])
        unknown = each["type"] == "extra_forbidden"
        message = "unknown key" if unknown else each["msg"]
        remedy = "Remove it or correct its spelling." if unknown else SEE
        found.append(sheet.mistake(path, "FL001", f"{'.'.join(map(str, path))}: {message}", remedy))
    return found


def _unknown_names(sheet: Sheet) -> list[Mistake]:
    """Injectors and checks that do not exist, or that are given arguments they do not take."""
    found: list[Mistake] = []
    for part, known, noun in (
        ("inject", _args_of(INJECTORS), FaultStep),
        ("undo", _args_of(INJECTORS), FaultStep),
        ("baseline", _args_of(CHECKS), FaultCheck),
        ("symptom", _args_of(CHECKS), FaultCheck),
    ):
        listed = sheet.at(("spec", part))
        for index, entry in enumerate(cast("list[Any]", listed) if isinstance(listed, list) else ()):
            found += _bind(sheet, ("spec", part, index), known, _parse(noun, entry))
    return found


def _args_of(registry: Mapping[str, Any]) -> dict[str, type[Noun]]:
    return {name: entry.args for name, entry in registry.items()}


def _parse(noun: type[FaultStep] | type[FaultCheck], entry: Any) -> FaultStep | FaultCheck | None:
    try:
        return noun.model_validate(entry)
    except ValidationError:
        return None


def _bind(
    sheet: Sheet, path: Place, known: Mapping[str, type[Noun]], step: FaultStep | FaultCheck | None
) -> list[Mistake]:
    if step is None:
        return []
    if step.uses not in known:
        remedy = f"Known here: {', '.join(sorted(known))}."
        return [sheet.mistake(path, "FL002", f"there is no {step.uses!r}", remedy)]
    try:
        known[step.uses].model_validate(step.args)
    except ValidationError as refused:
        return _refused(sheet, refused, (*path, "args"))
    return []


def _shared_names(faults: Mapping[str, Fault]) -> list[Mistake]:
    owners: dict[str, str] = {}
    found: list[Mistake] = []
    for fault in faults.values():
        for name in (fault.id, *fault.metadata.aliases):
            other = owners.setdefault(name, fault.id)
            if other != fault.id:
                message = f"{name!r} also names {other}"
                found.append(
                    Mistake(where=f"{fault.id}{SUFFIX}", code="FL003", message=message, remedy="Rename one of them.")
                )
    return found


def _mistake(source: str, line: int | None, code: str, message: str, remedy: str) -> Mistake:
    return Mistake(where=source, line=line, code=code, message=message, remedy=remedy)
