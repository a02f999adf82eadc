"""The one refusal of the condition language: what is wrong, where, and what to write instead."""


class ConditionError(ValueError):
    """A condition that cannot be read or names what is not there; `column` counts from 1, None when it has no place."""

    def __init__(self, message: str, column: int | None = None, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.column = column
        self.remedy = remedy

    def __str__(self) -> str:
        place = "" if self.column is None else f" (column {self.column})"
        advice = f": {self.remedy}" if self.remedy else ""
        return f"{self.message}{place}{advice}"
