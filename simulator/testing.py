"""For tests: a simulator of their own, in a thread of the test's process.

with running_simulator(tmp_path, speed=0) as simulator:
    simulator.control(fault={"service": "rap", "kind": "slow", "seconds": 5})
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from simulator import config as configuration
from simulator.config import Config
from simulator.server import Server

TIME_LIMIT = 10


class ControlRefused(Exception):
    """The simulator did not accept a command; the text says why."""


class RunningSimulator:
    """Where its services are, what they accept, and how to drive it."""

    def __init__(self, config: Config, base_url: str, smtp_port: int) -> None:
        self.config = config
        self.base_url = base_url
        self.smtp_port = smtp_port
        self.smtp_url = f"smtp://127.0.0.1:{smtp_port}"
        self.rap_url = f"{base_url}/controller/v1/"
        self.github_url = f"{base_url}/github"
        self.github_api_url = f"{base_url}/api/github"
        self.opencodelists_url = f"{base_url}/opencodelists"
        self.slack_url = f"{base_url}/slack/api/"
        settings = config.simulator
        self.rap_token = next(iter(settings.rap_tokens), "")
        self.github_token = next(iter(settings.github_tokens), "")
        self.slack_token = next(iter(settings.slack_tokens), "")
        self.oauth_client = settings.oauth_clients[0] if settings.oauth_clients else None

    def control(self, **commands: Any) -> dict[str, Any]:
        """Carries out commands (see ``simulator.control.Commands``) and returns the state afterwards."""
        state: dict[str, Any] = self._json("/control/", commands)
        return state

    def requests(self, service: str) -> list[dict[str, Any]]:
        """The last requests that a service received, oldest first."""
        received: list[dict[str, Any]] = self._json(f"/control/requests?service={service}")
        return received

    def mails(self) -> list[dict[str, Any]]:
        """The mail received, newest first."""
        kept: list[dict[str, Any]] = self._json("/mail/")
        return kept

    def slack_posts(self) -> list[dict[str, Any]]:
        """The messages posted, newest first."""
        posted: list[dict[str, Any]] = self._json("/slack/")
        return posted

    def _json(self, path: str, body: dict[str, Any] | None = None) -> Any:
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        try:
            with urlopen(Request(f"{self.base_url}{path}", data, headers), timeout=TIME_LIMIT) as answer:
                return json.load(answer)
        except HTTPError as refusal:
            with refusal:
                raise ControlRefused(refusal.read().decode()) from refusal


@contextmanager
def running_simulator(
    data_dir: Path,
    config: Path | dict[str, Any] | Config | None = None,
    *,
    speed: float = 1.0,
    port: int = 0,
    smtp_port: int = 0,
) -> Iterator[RunningSimulator]:
    """A simulator on free ports, its state in ``data_dir``; without ``config`` the demonstration's world."""
    loaded = config if isinstance(config, Config) else configuration.load(config)
    server = Server(loaded, data_dir, port=port, smtp_port=smtp_port, speed=speed)
    thread = threading.Thread(target=server.run, name="simulator", daemon=True)
    thread.start()
    try:
        yield RunningSimulator(loaded, server.world.base_url, server.world.smtp_port)
    finally:
        server.stop()
        thread.join(timeout=10)
