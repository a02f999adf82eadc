"""The write tools of a host."""

from typing import Any

from ratchet.domain.ports import Clock
from ratchet.tools.host.comment_out_line import CommentOutLine
from ratchet.tools.host.host_tool import HostTool
from ratchet.tools.host.start_server import StartServer


def host_tools(clock: Clock) -> list[HostTool[Any]]:
    """One of each, on this clock."""
    return [StartServer(clock), CommentOutLine(clock)]
