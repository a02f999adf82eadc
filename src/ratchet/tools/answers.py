"""The one way in which a target's silence or refusal travels through the tools before it becomes evidence."""

from ratchet.domain.evidence import Answer


class NoAnswer(Exception):
    """The target gave no rows: `answer` says how, `detail` in its own words, `code` is the SQLSTATE where one came.

    `lost` is true when the session went away under the statement, so that a new session may tell more.
    """

    def __init__(self, answer: Answer, detail: str, code: str = "", *, lost: bool = False) -> None:
        super().__init__(f"{answer.value}: {detail}")
        self.answer = answer
        self.detail = detail
        self.code = code
        self.lost = lost
