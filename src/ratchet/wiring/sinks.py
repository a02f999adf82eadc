"""The sinks that the settings name."""

import socket

from ratchet.config import Settings
from ratchet.notify.follow import Sink
from ratchet.notify.loki import Loki
from ratchet.notify.syslog import Syslog


def sinks_of(settings: Settings) -> list[Sink]:
    """One for each address that is set; raises Refusal(INVALID) for one that cannot be understood."""
    sinks: list[Sink] = []
    if settings.loki_url:
        sinks.append(Loki(settings.loki_url))
    if settings.syslog:
        sinks.append(Syslog(settings.syslog, socket.gethostname()))
    return sinks
