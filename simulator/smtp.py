"""A small mail server that keeps what it is sent (the standard library has none any more)."""

import json
import re
import socketserver
import threading
from typing import Any

from simulator.faults import Fault
from simulator.world import World

MOST_BYTES = 25 * 1024 * 1024
IDLE_SECONDS = 60
_PATH = re.compile(rb"(?:FROM|TO):\s*<([^>]*)>", re.IGNORECASE)
# What a faulty status makes the server say, and at which command.
_REFUSALS = {
    401: (b"MAIL", b"535 5.7.8 Authentication credentials invalid"),
    403: (b"RCPT", b"550 5.7.1 Relaying denied"),
    404: (b"RCPT", b"550 5.1.1 No such user here"),
}
_NO_SERVICE = (b"DATA", b"451 4.3.0 Requested action aborted: local error in processing")


class _HungUp(Exception):
    """The conversation is over."""


class _Conversation(socketserver.StreamRequestHandler):
    """One client's connection."""

    timeout = IDLE_SECONDS
    server: "MailServer"

    def setup(self) -> None:
        super().setup()
        self.sender = ""
        self.recipients: list[str] = []
        self.fault: Fault | None = None

    def handle(self) -> None:
        world = self.server.world
        for fault in world.faults.for_request("smtp", ""):
            if fault.kind == "slow":
                world.clock.stopping.wait(fault.seconds)
            else:
                self.fault = fault
        try:
            self._greet()
            while True:
                self._command(self._line())
        except (_HungUp, OSError):
            return

    def _greet(self) -> None:
        if self.fault and self.fault.kind == "refuse":
            raise _HungUp
        if self.fault and self.fault.kind == "html":
            self.wfile.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<h1>Log in to the network</h1>\r\n"
            )
            raise _HungUp
        self._say(b"220 simulator ESMTP")

    def _line(self) -> bytes:
        line = self.rfile.readline(4096)
        if not line:
            raise _HungUp
        return line.rstrip(b"\r\n")

    def _say(self, text: bytes) -> None:
        if self.fault and self.fault.kind == "truncated":
            self.wfile.write(text[:2])
            raise _HungUp
        self.wfile.write(text + b"\r\n")

    def _command(self, line: bytes) -> None:
        verb = line[:4].upper()
        if self.fault and self.fault.kind in {"status", "rate_limit"}:
            refused_at, text = _REFUSALS.get(self.fault.status, _NO_SERVICE)
            if verb == refused_at:
                self._say(text)
                return
        if verb == b"EHLO":
            self.wfile.write(b"250-simulator\r\n250-8BITMIME\r\n")
            self._say(b"250 SIZE %d" % MOST_BYTES)
        elif verb == b"QUIT":
            self._say(b"221 2.0.0 Bye")
            raise _HungUp
        elif verb in {b"MAIL", b"RCPT"}:
            self._address(verb, line)
        elif verb == b"DATA":
            self._data()
        elif verb in {b"HELO", b"NOOP", b"RSET"}:
            if verb == b"RSET":
                self._forget()
            self._say(b"250 2.0.0 OK")
        else:
            self._say(b"502 5.5.2 Command not implemented")

    def _address(self, verb: bytes, line: bytes) -> None:
        match = _PATH.search(line)
        if match is None:
            self._say(b"501 5.5.4 An address in angle brackets is needed")
            return
        if verb == b"MAIL":
            self.sender = match[1].decode(errors="replace")
        else:
            self.recipients.append(match[1].decode(errors="replace"))
        self._say(b"250 2.1.0 OK")

    def _data(self) -> None:
        if not self.recipients:
            self._say(b"503 5.5.1 RCPT first")
            return
        self._say(b"354 End with a line that holds only a full stop")
        lines: list[bytes] = []
        size = 0
        while (line := self.rfile.readline(MOST_BYTES)) != b".\r\n":
            if not line or (self.fault and self.fault.kind == "drop"):
                raise _HungUp
            size += len(line)
            lines.append(line[1:] if line.startswith(b".") else line)
            if size > MOST_BYTES:
                self._say(b"552 5.3.4 Message too big")
                raise _HungUp
        self.server.keep(self.sender, self.recipients, b"".join(lines))
        self._forget()
        self._say(b"250 2.0.0 OK: kept")

    def _forget(self) -> None:
        self.sender, self.recipients = "", []


class MailServer(socketserver.ThreadingTCPServer):
    """Listens on loopback; what arrives is kept in the world's store."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(self, world: World, port: int) -> None:
        self.world = world
        super().__init__(("127.0.0.1", port), _Conversation)
        self._thread = threading.Thread(
            target=self.serve_forever, args=(0.1,), name="simulator-smtp", daemon=True
        )

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.server_address[1])

    def start(self) -> None:
        """Begins to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Stops answering and frees the port."""
        self.shutdown()
        self.server_close()
        self._thread.join(timeout=5)

    def keep(self, sender: str, recipients: list[str], content: bytes) -> None:
        """Stores one message."""
        values: tuple[Any, ...] = (self.world.clock.now(), sender, json.dumps(recipients), content)
        self.world.store.run(
            "INSERT INTO mails (at, sender, recipients, content) VALUES (?, ?, ?, ?)", *values
        )
        self.world.journal.add("smtp", {"sender": sender, "recipients": recipients, "size": len(content)})
