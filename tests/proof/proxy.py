"""A TCP proxy in user space that can stop forwarding, both ways or only the answers, without closing anything."""

import socket
import threading
from typing import Literal

Cut = Literal["", "both", "replies"]


class Proxy:
    """Listens on a port of its own and forwards to `port` on the loopback."""

    def __init__(self, port: int) -> None:
        self.cut: Cut = ""
        self.trap: tuple[bytes, Cut] | None = None
        """Cut as soon as these bytes come by: `both` swallows them, `replies` still lets them through."""
        self.swallowed = 0
        """Bytes that were taken and not forwarded: the fault really was there."""
        self._behind = port
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._open: list[socket.socket] = [self._server]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        for one in self._open:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()
        for thread in self._threads:
            thread.join(2)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
                server = socket.create_connection(("127.0.0.1", self._behind))
            except OSError:
                return
            self._open += [client, server]
            for source, sink, way in ((client, server, "there"), (server, client, "back")):
                thread = threading.Thread(target=self._forward, args=(source, sink, way), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _forward(self, source: socket.socket, sink: socket.socket, way: str) -> None:
        while True:
            try:
                heard = source.recv(65536)
                if not heard:
                    sink.shutdown(socket.SHUT_WR)
                    return
                if self.trap is not None and self.trap[0] in heard:
                    self.cut, self.trap = self.trap[1], None
                if self.cut == "both" or (self.cut == "replies" and way == "back"):
                    self.swallowed += len(heard)
                    continue
                sink.sendall(heard)
            except OSError:
                return
