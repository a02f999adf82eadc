"""Which desk is asked: the gateway that was named, a server of this home that runs, or the house in this process."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import typer

from ratchet.cli import server_file
from ratchet.cli.given import Given
from ratchet.cli.table import AT_WORK, IN_HOUSE, OVER_HTTP, load
from ratchet.config import Settings, read_settings
from ratchet.desk.contract import Desk
from ratchet.domain.errors import invalid

TOKEN = "token"  # noqa: S105 - the name of a file


class Road(NamedTuple):
    """A desk and how it is reached; `url` is None for the house in this process."""

    desk: Desk
    settings: Settings
    url: str | None


def given_by(context: typer.Context) -> Given:
    """What was said for all commands."""
    return context.obj if isinstance(context.obj, Given) else Given()


def settings_of(given: Given, *, token: bool = True) -> Settings:
    """The settings, with the flags on top; without a token for a line that asks nobody."""
    environ = given.environ()
    if not token:
        environ.pop("RATCHET_TOKEN_FILE", None)
    try:
        return read_settings(environ)
    except OSError as error:
        where = environ.get("RATCHET_TOKEN_FILE", "")
        raise invalid(
            f"The token file {where} cannot be read: {error.strerror}.", "Correct --token-file or RATCHET_TOKEN_FILE."
        ) from None
    except UnicodeDecodeError:
        raise invalid(
            f"The token file {environ.get('RATCHET_TOKEN_FILE', '')} is no UTF-8 text.",
            "Save it as UTF-8 with nothing but the token in it; PowerShell does so with `-Encoding utf8`.",
        ) from None
    except ValueError:
        raise invalid("RATCHET_PORT is not a port.", "Set it to a number such as 8080, or unset it.") from None


@contextmanager
def road(context: typer.Context, *, at_work: bool = False) -> Generator[Road]:
    """The desk that this line is for; closed at the end. `at_work`: a house in this process has its worker with it."""
    given = given_by(context)
    settings = settings_of(given)
    url = settings.url or _local(settings.home)
    if url is None:
        with load(AT_WORK if at_work else IN_HOUSE)(settings) as desk:
            yield Road(desk, settings, None)
        return
    token = settings.token or (_kept_token(settings.home) if settings.url is None else None)
    with load(OVER_HTTP)(url, token, debug=given.debug) as desk:
        yield Road(desk, settings, url)


def _local(home: Path) -> str | None:
    found = server_file.running(home)
    return found.url if found is not None else None


def _kept_token(home: Path) -> str | None:
    """The first admin token, for the one who may read it. Never sent to an address from outside this home."""
    try:
        return (home / TOKEN).read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError):
        return None
