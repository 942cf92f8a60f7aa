"""Starts and ends the whole of it: the web server, the mail server and the clock, in one process."""

import threading
from pathlib import Path
from typing import Any

from waitress import wasyncore
from waitress.server import create_server

from simulator import app, world
from simulator.config import Config
from simulator.faults import MOST_IN_MEMORY
from simulator.smtp import MailServer
from simulator.world import World

THREADS = 16


class Server:
    """The running simulator. ``run`` answers requests until ``stop`` is called from elsewhere."""

    def __init__(
        self,
        config: Config,
        data_dir: Path,
        *,
        port: int = 0,
        smtp_port: int = 0,
        base_url: str = "",
        speed: float | None = None,
    ) -> None:
        """Takes the ports (0: any free one). Raises OSError if one is in use."""
        self._stopping = threading.Event()
        self.world: World = world.build(config, data_dir, base_url, speed)
        self._mail = MailServer(self.world, smtp_port)
        self.world.smtp_port = self._mail.port
        self._sockets: dict[int, Any] = {}
        self._web = create_server(
            app.create(self.world),
            map=self._sockets,
            host="127.0.0.1",
            port=port,
            threads=THREADS,
            ident=None,
            inbuf_overflow=MOST_IN_MEMORY,
            outbuf_overflow=MOST_IN_MEMORY,
        )
        self.port: int = self._web.effective_port
        self.world.base_url = base_url or f"http://127.0.0.1:{self.port}"

    def run(self) -> None:
        """Answers requests; returns after ``stop``, with every port free and the state stored."""
        self._mail.start()
        self.world.clock.start()
        try:
            while not self._stopping.is_set():
                wasyncore.loop(timeout=0.5, use_poll=True, map=self._sockets, count=1)
        finally:
            self.world.clock.stop()
            self._web.task_dispatcher.shutdown(timeout=3)
            self._mail.stop()
            wasyncore.close_all(self._sockets, ignore_all=True)
            self.world.store.close()

    def stop(self) -> None:
        """Ends ``run``. May be called from another thread or a signal handler."""
        self._stopping.set()
        self._web.pull_trigger()
