"""Appends the audit trail to a syslog server (RFC 5424) over UDP, TCP or the local socket."""

import array
import errno
import fcntl
import select
import socket
import termios
import time
from collections.abc import Callable, Sequence
from datetime import UTC
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from ratchet.domain.audit import AuditEntry
from ratchet.domain.audit_forms import short, syslog_level
from ratchet.domain.errors import invalid
from ratchet.notify.follow import Unreached

LOG_AUDIT = 13
"""The facility of audit messages."""
LIMIT_S = 5.0
_LOOK_S = 0.02
_HOW = "Write it as udp://host:514, tcp://host:601 or unix:///dev/log."


class Place(NamedTuple):
    """Where a syslog server listens."""

    road: Literal["udp", "tcp", "unix"]
    host: str
    port: int
    path: str


class Syslog:
    """One syslog server. Over UDP and the local socket nobody says whether a message arrived; over TCP the peer's
    system confirms every byte before a delivery counts."""

    def __init__(self, url: str, host_name: str) -> None:
        self._place = place_of(url)
        self._host_name = host_name
        self._socket: socket.socket | None = None
        self.name = f"syslog {url}"

    def send(self, entries: Sequence[AuditEntry]) -> None:
        """Send message by message; over TCP each after its length (RFC 6587 octet counting)."""
        try:
            line = self._connected()
            for entry in entries:
                self._one(line, message(entry, self._host_name))
            if self._place.road == "tcp":
                _wait_until_taken(line, time.monotonic)
        except OSError as error:
            self.close()
            raise Unreached(error.strerror or type(error).__name__) from None

    def _one(self, line: socket.socket, body: bytes) -> None:
        if line.type == socket.SOCK_STREAM:
            line.sendall(b"%d %s" % (len(body), body))
        else:
            line.send(body)

    def _connected(self) -> socket.socket:
        """The connection, made anew when the peer has closed it."""
        if self._socket is not None and line_is_open(self._socket):
            return self._socket
        self.close()
        self._socket = _connect(self._place)
        return self._socket

    def close(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def place_of(url: str) -> Place:
    """The parts of an address; raises Refusal(INVALID)."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise invalid("RATCHET_SYSLOG is not an address of a syslog server.", _HOW) from None
    if parts.scheme == "unix" and parts.path and not parts.netloc:
        return Place("unix", "", 0, parts.path)
    if parts.scheme == "udp" and parts.hostname:
        return Place("udp", parts.hostname, port or 514, "")
    if parts.scheme == "tcp" and parts.hostname:
        return Place("tcp", parts.hostname, port or 601, "")
    raise invalid("RATCHET_SYSLOG is not an address of a syslog server.", _HOW)


def message(entry: AuditEntry, host_name: str) -> bytes:
    """One RFC 5424 message; its text is the record as JSON, in ASCII, so that it needs no byte order mark."""
    at = entry.at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    priority = LOG_AUDIT * 8 + syslog_level(entry.kind)
    return f"<{priority}>1 {at} {_word(host_name, 255)} ratchet - {_word(entry.kind, 32)} - {short(entry)}".encode(
        "ascii"
    )


def _word(text: str, longest: int) -> str:
    """A header field: printable ASCII without spaces, or the nil value."""
    return "".join(c for c in text if "!" <= c <= "~")[:longest] or "-"


def line_is_open(line: socket.socket) -> bool:
    """Whether the peer has neither closed nor reset a connection; datagrams have no peer that could."""
    if line.type != socket.SOCK_STREAM:
        return True
    looked = select.poll()
    looked.register(line, select.POLLIN | select.POLLRDHUP)
    if not looked.poll(0):
        return True
    try:
        return line.recv(1, socket.MSG_PEEK) != b""
    except OSError:
        return False


def _connect(place: Place) -> socket.socket:
    if place.road == "tcp":
        return socket.create_connection((place.host, place.port), timeout=LIMIT_S)
    if place.road == "unix":
        return _local(place.path)
    family, kind, protocol, _, address = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_DGRAM)[0]
    return _joined(socket.socket(family, kind, protocol), address)


def _local(path: str) -> socket.socket:
    """Most systems listen for datagrams, some for a stream."""
    try:
        return _joined(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM), path)
    except OSError as error:
        if error.errno != errno.EPROTOTYPE:
            raise
    return _joined(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM), path)


def _joined(line: socket.socket, address: object) -> socket.socket:
    line.settimeout(LIMIT_S)
    try:
        line.connect(address)  # type: ignore[arg-type]  # an address of the socket's own family
    except OSError:
        line.close()
        raise
    return line


def _wait_until_taken(line: socket.socket, clock: Callable[[], float]) -> None:
    """Until the peer's system has confirmed every byte; a write to a dead connection succeeds and says nothing."""
    waiting = array.array("i", [0])
    deadline = clock() + LIMIT_S
    while True:
        fcntl.ioctl(line.fileno(), termios.TIOCOUTQ, waiting)
        if waiting[0] == 0:
            break
        if clock() > deadline:
            raise TimeoutError("the peer confirms nothing")
        time.sleep(_LOOK_S)
    if not line_is_open(line):
        raise ConnectionResetError("the peer closed the connection")
