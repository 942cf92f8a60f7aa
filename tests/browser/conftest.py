"""The whole system as its real programs, beside the simulated world, driven by the system's Chromium."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from jobserver.models import Base
from simulator.testing import running_simulator
from tests.conftest import ROOT

CHROMIUM = shutil.which("chromium")
SPEED = 6.0
COMMAND = Path(sys.executable).parent / "jobserver"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


# Everything here needs the browser.
BROWSER = pytest.mark.browser


def free_port() -> int:
    """A port that nobody uses just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class System:
    """The running programs."""

    def __init__(self, base_url: str, world: Any, environment: dict[str, str], log: Path) -> None:
        self.base_url = base_url
        self.world = world
        self.environment = environment
        self.log = log
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, *arguments: str) -> None:
        """Start a program by its command."""
        command = [str(COMMAND), name, *arguments]
        with self.log.open("ab") as output:
            self.processes[name] = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdout=output, stderr=output
            )

    def run(self, name: str, *arguments: str) -> None:
        """Run a command to its end."""
        command = [str(COMMAND), name, *arguments]
        subprocess.run(command, cwd=ROOT, env=self.environment, check=True, capture_output=True, timeout=60)

    def kill(self, name: str) -> None:
        """End a program as a power cut would."""
        process = self.processes.pop(name)
        process.kill()
        process.wait(10)

    def stop(self) -> None:
        """End everything politely; what does not obey within 10 seconds is killed."""
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()

    def wait_until_ready(self) -> None:
        """Return once the web server answers."""
        for _ in range(150):
            with (
                contextlib.suppress(OSError),
                urllib.request.urlopen(f"{self.base_url}/health-check/", timeout=2),
            ):
                return
            time.sleep(0.2)
        raise AssertionError(self.log.read_text()[-3000:])


@pytest.fixture(scope="module")
def system(postgres: str, engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Web server, worker and status service on the demonstration, with a fast simulated world."""
    folder = tmp_path_factory.mktemp("system")
    port = free_port()
    with running_simulator(folder / "world", speed=SPEED) as world:
        environment = {
            **os.environ,
            "JOBSERVER_INI": str(ROOT / "development.ini"),
            "BASE_URL": f"http://127.0.0.1:{port}",
            "DATABASE_URL": postgres,
            "SECRET_KEY": "a key for browser tests only",
            "GITHUB_URL": world.github_url,
            "GITHUB_API_URL": world.github_api_url,
            "OPENCODELISTS_URL": world.opencodelists_url,
            "RAP_API_BASE_URL": world.rap_url,
            "RAP_API_TOKEN": world.rap_token,
            "RAP_API_POLL_INTERVAL": "1",
            "RELEASE_STORAGE": str(folder / "releases"),
            "SLACK_API_URL": world.slack_url,
            "SMTP_URL": world.smtp_url,
        }
        running = System(f"http://127.0.0.1:{port}", world, environment, folder / "programs.log")
        running.run("load-demonstration", str(ROOT / "simulator" / "demo.json"))
        running.start("web", "--host", "127.0.0.1", "--port", str(port))
        running.start("worker")
        running.start("rap-status-service")
        try:
            running.wait_until_ready()
            yield running
        finally:
            running.stop()
    with engine.begin() as connection:
        tables = ", ".join(f'"{table.name}"' for table in Base.metadata.sorted_tables)
        connection.execute(text(f"TRUNCATE {tables}, procrastinate_jobs RESTART IDENTITY CASCADE"))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """The system's Chromium, headless. Its event loop must not outlive the module: other tests have their own."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Any, system: System) -> Iterator[Any]:
    """A fresh browser window on the site; anything the browser complains of fails the test."""
    context = chromium.new_context(base_url=system.base_url, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(15_000)
    window = context.new_page()
    complaints: list[str] = []
    window.on("pageerror", lambda error: complaints.append(str(error)))
    window.on(
        "console",
        lambda message: (
            complaints.append(message.text) if "Content Security Policy" in message.text else None
        ),
    )
    yield window
    context.close()
    assert complaints == []


def sign_in(page: Any, username: str) -> None:
    """Sign in through the simulated GitHub's own page."""
    page.goto("/login/?next=/status/")
    page.get_by_role("button", name="GitHub").click()
    page.get_by_role("button", name=username, exact=False).first.click()
    page.wait_for_url("**/status/")
