"""Reads playbook files: the port `Files`, every mistake at once with its line and what to do."""

from collections.abc import Iterable, Mapping

from ratchet.domain.errors import Mistake, invalid
from ratchet.domain.lines import read_sheet
from ratchet.domain.playbook import Playbook
from ratchet.domain.ports import Clock
from ratchet.domain.sheet import Sheet
from ratchet.vault.known import KnownTools
from ratchet.vault.lint import BLOCKING, blocking, in_order, lint
from ratchet.vault.shape import typed
from ratchet.vault.wording import unkept_mistakes


class PlaybookFiles:
    """Loads and lints texts against what is registered here. Without a clock, review dates are not judged."""

    def __init__(self, known: KnownTools, causes: frozenset[str], clock: Clock | None = None) -> None:
        self.known = known
        self.causes = causes
        self.clock = clock

    def load(self, text: str, where: str) -> Playbook:
        """The playbook in a text. Raises Refusal(INVALID) with all mistakes, reviewers' ones included."""
        return self.load_sheet(*read_sheet(text, where))

    def load_sheet(self, sheet: Sheet, broken: list[Mistake]) -> Playbook:
        """The same for a sheet that was read already."""
        playbook, misfits = typed(sheet) if sheet.data is not None else (None, [])
        unfit = any(mistake.code in BLOCKING for mistake in (*broken, *misfits))
        if playbook is None or unfit or blocking(sheet, self.known, self.causes):
            mistakes = self._judged(sheet, broken)[1]
            count = len(mistakes)
            message = f"{sheet.where} has {count} mistake{'s' if count != 1 else ''}."
            raise invalid(message, "Mend them and load it again.", mistakes)
        return playbook

    def read(self, text: str, where: str) -> Playbook:
        """The playbook in a draft's text, its faults left to its reviewer. Raises Refusal(INVALID) when it is none."""
        sheet, broken = read_sheet(text, where)
        playbook = typed(sheet)[0] if sheet.data is not None and not broken else None
        if playbook is None:
            mistakes = self.mistakes(text, where)
            raise invalid(f"{where} cannot be read as a playbook.", "Mend it and load it again.", mistakes)
        return playbook

    def check_kept(self, text: str, where: str) -> None:
        """Raise Refusal(INVALID) with every place where a secret or what nobody sees stands in a text that is to be
        kept."""
        self._refuse(unkept_mistakes(read_sheet(text, where)[0]), where)

    def check_words(self, words: Mapping[str, str], where: str) -> None:
        """The same for single fields of a text."""
        self._refuse(unkept_mistakes(Sheet(where, words, {})), where)

    @staticmethod
    def _refuse(found: Iterable[Mistake], where: str) -> None:
        mistakes = in_order(list(found))
        if mistakes:
            message = f"{where} was not kept: {mistakes[0].message}."
            raise invalid(message, f"{mistakes[0].remedy} Nothing was changed.", mistakes)

    def lint(self, playbook: Playbook, text: str, where: str) -> list[Mistake]:
        """What a reviewer would send back about `text`, of which `playbook` is the typed form."""
        return self.mistakes(text, where or playbook.pin)

    def mistakes(self, text: str, where: str) -> list[Mistake]:
        """Everything wrong with a text, in the order of its lines; empty when it is sound."""
        return self._judged(*read_sheet(text, where))[1]

    def _judged(self, sheet: Sheet, broken: list[Mistake]) -> tuple[Playbook | None, list[Mistake]]:
        if sheet.data is None:
            return None, broken or [sheet.mistake((), "PB001", "the file is empty", "Start with `apiVersion:`.")]
        playbook, misfits = typed(sheet)
        today = self.clock().date() if self.clock else None
        found = [*broken, *misfits, *lint(sheet, self.known, self.causes, today)]
        return (None if broken else playbook), in_order(found)
