"""The vocabulary of root causes: one closed list, shared by playbooks, faults and feedback."""

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files

from pydantic import Field, ValidationError

from ratchet.domain.errors import Mistake, invalid
from ratchet.domain.lines import read_sheet
from ratchet.domain.noun import Noun
from ratchet.domain.sheet import Sheet
from ratchet.vault.shape import dotted


class Cause(Noun):
    """One class of causes: what a person calls it, one sentence, its family, and whether security must look first."""

    title: str = Field(min_length=4, max_length=90)
    sentence: str = Field(min_length=12)
    family: str = Field(pattern=r"^[a-z][a-z_]{2,30}$")
    security: bool = False


class Causes(Noun):
    """`causes.yaml` as typed values, by class name."""

    causes: dict[str, Cause]

    @property
    def names(self) -> frozenset[str]:
        """The closed vocabulary."""
        return frozenset(self.causes)


def read_causes(text: str, where: str) -> Causes:
    """The causes in a text; raises Refusal(INVALID) with every mistake."""
    sheet, broken = read_sheet(text, where)
    misfits: list[Mistake] = []
    try:
        found = Causes.model_validate(dict(sheet.fields()))
    except ValidationError as error:
        found = Causes(causes={})
        misfits = [_mistake(sheet, detail["loc"], detail["msg"]) for detail in error.errors()]
    if broken or misfits:
        raise invalid(f"{where} cannot be used.", "Mend it and start again.", [*broken, *misfits])
    return found


def _mistake(sheet: Sheet, path: tuple[str | int, ...], said: str) -> Mistake:
    return sheet.mistake(path, "PB001", f"{dotted(path)}: {said}", "Give title, sentence and family.")


@lru_cache(maxsize=1)
def shipped_causes() -> Causes:
    """The vocabulary that comes with this release."""
    text = files("ratchet.library").joinpath("causes.yaml").read_text("utf-8")
    return read_causes(text, "causes.yaml")


def causes_of(overlays: Mapping[str, str]) -> Causes:
    """The shipped vocabulary with a site's own files (name to text) laid over it."""
    found = dict(shipped_causes().causes)
    for where, text in overlays.items():
        found.update(read_causes(text, where).causes)
    return Causes(causes=found)
