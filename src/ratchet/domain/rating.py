"""A rating: what a person says of an incident once it is over."""

from typing import Annotated

from pydantic import Field

from ratchet.domain.noun import Noun

About = Annotated[str, Field(pattern=r"^[a-z_]{1,40}:[^\x00-\x1f\x7f]{1,200}$")]
"""An object as `kind:name`, such as `application:billing`."""


class Rating(Noun):
    """The cause, by its name in the vocabulary; the objects it was about; whether Ratchet helped, and why."""

    cause: str = Field(min_length=1, max_length=100)
    objects: tuple[About, ...] = Field(default=(), max_length=20)
    helpful: bool | None = None
    reason: str = Field(default="", max_length=4000)
