"""One frozen Settings; the only reader of the environment."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field

from ratchet.domain.noun import Noun

DEFAULT_URL = "http://127.0.0.1:8080"


class Settings(Noun):
    """Everything that is decided outside the program. `environ` resolves credential references and is never shown."""

    home: Path
    url: str | None = None
    token: str | None = Field(default=None, repr=False)
    host: str = "127.0.0.1"
    port: int = 8080
    overlays: tuple[Path, ...] = ()
    """Site directories with `playbooks/`, `probes/`, `faults/` and `policy.yaml`, read after the shipped library."""
    operator: str = "operator"
    """Who sits at this terminal, for what is done in process."""
    loki_url: str | None = Field(default=None, repr=False)
    """Where Loki takes pushes; it may hold a name and a password, so it is not shown."""
    syslog: str | None = None
    """`udp://host:514`, `tcp://host:601` or `unix:///dev/log`."""
    reminder_webhook: str | None = Field(default=None, repr=False)
    """Where reminders of playbooks that are due are posted; it may hold a password, so it is not shown."""
    failpoint: str | None = None
    """Where the process ends itself, for proof; see `wiring.failpoint`."""
    fault_history: Path = Path("~/.faulttest/history.json")
    """Where runs of drills are exported to, beside the store."""
    fault_conn: str | None = Field(default=None, repr=False)
    """The superuser's connection string to a server that faults may be caused on; it may hold a password."""
    environ: Mapping[str, str] = Field(default_factory=dict, repr=False, exclude=True)


def read_settings(environ: Mapping[str, str], home: Path | None = None) -> Settings:
    """Settings from the environment: `RATCHET_*` names first, then the alias `HELPDESK_CLIENT_API_KEY`.

    Raises OSError or UnicodeDecodeError for a token file that cannot be read, ValueError for a port that is none.
    """
    return Settings(
        home=(home or _home(environ)).expanduser(),
        url=environ.get("RATCHET_URL") or None,
        token=_token(environ),
        host=environ.get("RATCHET_HOST", "127.0.0.1"),
        port=int(environ.get("RATCHET_PORT", "8080")),
        overlays=tuple(Path(part) for part in environ.get("RATCHET_LIBRARY", "").split(":") if part),
        operator=environ.get("RATCHET_PERSON") or environ.get("USER") or environ.get("LOGNAME") or "operator",
        loki_url=environ.get("RATCHET_LOKI_URL") or None,
        syslog=environ.get("RATCHET_SYSLOG") or None,
        reminder_webhook=environ.get("RATCHET_REMINDER_WEBHOOK") or None,
        failpoint=environ.get("RATCHET_FAILPOINT") or None,
        fault_history=_history(environ),
        fault_conn=environ.get("FAULTTEST_CONN_STR") or None,
        environ=dict(environ),
    )


def _home(environ: Mapping[str, str]) -> Path:
    if environ.get("RATCHET_HOME"):
        return Path(environ["RATCHET_HOME"])
    state = environ.get("XDG_STATE_HOME") or str(Path(environ.get("HOME", "~")) / ".local" / "state")
    return Path(state) / "ratchet"


def _history(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("HELPDESK_FAULT_HISTORY_FILE") or "~/.faulttest/history.json").expanduser()


def _token(environ: Mapping[str, str]) -> str | None:
    path = environ.get("RATCHET_TOKEN_FILE")
    if path:
        return Path(path).expanduser().read_text(encoding="utf-8-sig").strip()
    return environ.get("RATCHET_TOKEN") or environ.get("HELPDESK_CLIENT_API_KEY") or None
