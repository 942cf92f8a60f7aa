"""What runs in production and on a developer's machine: programs, their ends, `make`."""

import configparser
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
import urllib.request
from pathlib import Path

import plaster
import pytest

from jobserver.scripts import MODULES, web
from jobserver.settings import load
from simulator import launch
from tests.unit.command import ROOT

SLOW_SERVER = textwrap.dedent(
    """
    import sys, time
    from jobserver.scripts import web
    from tests.conftest import make_settings

    def application(environ: dict[str, str], start_response):
        print("begun", flush=True)
        time.sleep(1.5)
        body = b"x" * 3_000_000
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]

    settings = make_settings("postgresql://nobody@127.0.0.1:9/x")
    web.serve(application, web.inherited_socket(0), settings, threads=2)
    """
)


@pytest.mark.parametrize("name", ["supervisord.conf", "supervisord.development.conf"])
def test_supervisor_runs_each_program_by_a_command_that_exists(name: str) -> None:
    parser = configparser.RawConfigParser(inline_comment_prefixes=(" ;",))
    parser.read_string((ROOT / "deploy" / name).read_text())
    programs = {
        section.partition(":")[2]: shlex.split(parser[section]["command"])
        for section in parser.sections()
        if section.startswith(("program:", "fcgi-program:"))
    }
    assert {"web", "rap-status-service", "worker"} <= programs.keys()
    known = {command for commands in MODULES.values() for command in commands}
    for program, words in programs.items():
        assert program == "simulator" or known & set(words), program
    for section in parser.sections():
        if "program:" in section:
            assert int(parser[section]["stopwaitsecs"]) >= web.GRACE
            assert parser[section]["stdout_logfile"] == "/dev/fd/1"
    assert int(parser["fcgi-program:web"]["numprocs"]) > 1


def nginx_blocks(text: str) -> dict[str, list[list[str]]]:
    """The directives of each location of an nginx configuration, by the location's address."""
    text = re.sub(r"#.*", "", text)
    return {
        place: [shlex.split(each) for each in body.split(";") if each.strip()]
        for place, body in re.findall(r"location ([^{]+?) \{([^}]*)\}", text)
    }


def test_nginx_passes_on_which_host_and_address_was_asked_and_a_request_id() -> None:
    """The application answers 400 for other hosts, so nginx's own default, the upstream's name, will not do."""
    places = nginx_blocks((ROOT / "deploy" / "nginx.conf").read_text())
    passing = {
        place: lines for place, lines in places.items() if any(line[0] == "proxy_pass" for line in lines)
    }
    assert "/" in passing
    for place, lines in passing.items():
        headers = {line[1]: line[2] for line in lines if line[0] == "proxy_set_header"}
        assert headers["Host"] == "$host", place
        assert headers["X-Forwarded-For"] == "$proxy_add_x_forwarded_for", place
        assert headers["X-Request-Id"] == "$request_id", place


@pytest.mark.parametrize("name", ["development.ini", "production.ini"])
def test_pserve_finds_application_server_and_migrations_in_each_ini_file(name: str) -> None:
    loader = plaster.get_loader(str(ROOT / name), protocols=["wsgi"])
    assert loader.get_settings("app:main")["use"] == "egg:jobserver"
    assert loader.get_settings("server:main")["use"] == "egg:waitress#main"
    assert Path(loader.get_settings("alembic")["script_location"]) == ROOT / "alembic"


def test_development_needs_nothing_but_its_ini_file_and_production_brings_no_secret() -> None:
    assert load(plaster.get_settings(str(ROOT / "development.ini"), "app:main"), {}).settings.debug
    production = plaster.get_settings(str(ROOT / "production.ini"), "app:main")
    assert not [key for key in production if re.search("key|token|secret|url|dsn", key)]
    assert production["debug"] == "false"
    # Else every address in the log is that of the nginx of deploy/nginx.conf.
    assert production["trusted_proxies"] == "127.0.0.1"


def test_a_request_that_has_begun_is_finished_after_sigterm() -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", SLOW_SERVER],
        cwd=ROOT,
        stdin=listening.fileno(),
        stdout=subprocess.PIPE,
    )
    got: list[int] = []

    def fetch() -> None:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        with urllib.request.urlopen(address, timeout=20) as answer:
            got.append(len(answer.read()))

    client = threading.Thread(target=fetch)
    client.start()
    assert process.stdout is not None
    assert process.stdout.readline() == b"begun\n"
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=15) == 0
    client.join(timeout=5)
    process.stdout.close()
    listening.close()
    assert got == [3_000_000]
    assert 1 < time.monotonic() - began < 10


def test_something_else_than_a_listening_socket_is_not_served_on() -> None:
    with socket.socket() as plain, pytest.raises(OSError, match="not a listening socket"):
        web.inherited_socket(os.dup(plain.fileno()))


def test_a_second_copy_on_the_same_data_is_refused(tmp_path: Path) -> None:
    with (
        launch._alone(tmp_path / "lock"),
        pytest.raises(launch.CannotStart, match="DATA_DIR=/tmp/second"),
        launch._alone(tmp_path / "lock"),
    ):
        pytest.fail("two copies run on one directory")


@pytest.mark.parametrize("port", ["0", "65536", "x", "-1"])
def test_a_port_that_is_none_is_refused(port: str, tmp_path: Path) -> None:
    with pytest.raises(launch.CannotStart, match="PORT must be a number"):
        launch.run({"PORT": port, "DATA_DIR": str(tmp_path)})


def test_a_port_in_use_is_named_with_the_way_out(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(launch.CannotStart, match=f"Port {port} is in use.*PORT=8100"):
            launch.run({"PORT": str(port), "DATA_DIR": str(tmp_path)})
        assert launch._free_port(port) != port
    assert launch._free_port(70000) < 65536


def test_what_a_killed_database_left_is_forgotten(tmp_path: Path) -> None:
    (tmp_path / ".handle_pids.json").write_text("[1, 2]")
    for left in (f"{os.getpid()}\n{tmp_path}\n1\n5432\n{tmp_path}\n", "4194999\n", "", "nonsense\n"):
        (tmp_path / "postmaster.pid").write_text(left)
        (tmp_path / ".s.PGSQL.5432.lock").touch()
        launch._forget_dead_server(tmp_path)
        assert list(tmp_path.iterdir()) == []


def test_a_development_key_is_made_once_and_private(tmp_path: Path) -> None:
    key = launch._secret_key(tmp_path / "secret-key")
    assert len(key) > 40
    assert launch._secret_key(tmp_path / "secret-key") == key
    assert (tmp_path / "secret-key").stat().st_mode & 0o777 == 0o600


def test_the_launcher_names_settings_that_the_application_knows(tmp_path: Path) -> None:
    ports = {"PORT": 8100, "SIMULATOR_PORT": 8101, "SMTP_PORT": 9101}
    given = launch._settings(tmp_path, ports, "postgresql://postgres:@/postgres?host=/tmp/x")
    loaded = load({}, given)
    ours = {name for name, source in loaded.sources.items() if source == "environment"}
    tools = {*ports, "DATA_DIR", "BIN", "JOBSERVER_INI"}
    assert {name.lower() for name in given.keys() - tools} == ours
    assert loaded.settings.rap_api_base_url == "http://127.0.0.1:8101/controller/v1/"


def test_the_launcher_does_not_import_the_application() -> None:
    script = "import sys, simulator.launch; print([name for name in sys.modules if name.split('.')[0] == 'jobserver'])"
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout == "[]\n"


def test_make_without_a_target_lists_them() -> None:
    result = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)
    for target in ("run", "test", "manage", "locks"):
        assert f"make {target} " in result.stdout


def test_make_test_runs_every_check() -> None:
    result = subprocess.run(["make", "-n", "test"], cwd=ROOT, capture_output=True, text=True, check=True)
    for check in (
        "ruff check",
        "ruff format --check",
        "/mypy",
        "lint-imports",
        "uv pip compile",
        "pytest -n 3",
    ):
        assert check in result.stdout
    assert "npm run --silent check" in result.stdout


def test_the_ci_script_is_a_plain_shell_script() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    subprocess.run(["sh", "-n", str(script)], check=True)
