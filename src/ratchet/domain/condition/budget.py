"""The step budget that makes every evaluation end soon, whatever the data."""

CHARACTERS_PER_STEP = 100


class BudgetSpent(Exception):
    """The evaluation asked for more steps than it was given; never leaves this package."""


class Budget:
    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.left = steps

    def spend(self, steps: int = 1) -> None:
        self.left -= steps
        if self.left < 0:
            raise BudgetSpent

    def spend_reading(self, *texts: str) -> None:
        """Charge for work that is linear in the length of the texts."""
        self.spend(1 + sum(map(len, texts)) // CHARACTERS_PER_STEP)
