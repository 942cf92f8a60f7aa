"""What the web server refuses before the application is asked: JSON for programs, plain text for others.

Requests that are no HTTP, headers and bodies that are too large, bodies that find no room on the disk.
"""

import json
import re
from typing import Any

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.task import ErrorTask
from waitress.utilities import Error

# As much of a request as says what it asks for.
_BEGINNING = 64
_ASKS_THE_API = re.compile(rb"\s*\S+ /api/")


class NoRoom(Error):  # type: ignore[misc]
    """The body, of which larger ones are put on the disk while they arrive, cannot be put there."""

    code = 507
    reason = "Insufficient Storage"


class Parser(HTTPRequestParser):  # type: ignore[misc]
    """Reads a request; remembers how it began, whatever becomes of it."""

    beginning = b""

    def received(self, data: bytes) -> int:
        """Take in more of the request; how much of it was part of this one."""
        if len(self.beginning) < _BEGINNING:
            self.beginning += data[:_BEGINNING]
        try:
            taken: int = super().received(data)
        except OSError as error:
            self.error = NoRoom(error.strerror or "the body cannot be kept")
            self.completed = True
            return len(data)
        return taken


class Refusal(ErrorTask):  # type: ignore[misc]
    """Answers a request that cannot be passed on."""

    def execute(self) -> None:
        """Send the answer; nothing else can come over this connection."""
        if not _ASKS_THE_API.match(getattr(self.request, "beginning", b"")):
            super().execute()
            return
        error: Any = self.request.error
        body = json.dumps({"detail": f"{error.reason}: {error.body}"}).encode()
        self.status = f"{error.code} {error.reason}"
        headers = [("Content-Type", "application/json"), ("X-Content-Type-Options", "nosniff")]
        self.response_headers.extend(headers)
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class Channel(HTTPChannel):  # type: ignore[misc]
    """A connection whose refusals are ours."""

    parser_class = Parser
    error_task_class = Refusal
