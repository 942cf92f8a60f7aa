"""``python -m simulator`` as ``make run`` starts it: serves, ends when told to, and goes on where it was."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@contextmanager
def started(data_dir: Path, *arguments: str) -> Iterator[str]:
    """Starts the program, waits for its first line, and ends it with SIGTERM."""
    port, smtp_port = free_port(), free_port()
    ports = ["--port", str(port), "--smtp-port", str(smtp_port)]
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "simulator",
        "--data-dir",
        str(data_dir),
        *ports,
        *arguments,
    ]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            first = process.stdout.readline()
            assert f"mail on port {smtp_port}" in first, first or process.stderr.read()
            yield f"http://127.0.0.1:{port}"
        finally:
            before = time.monotonic()
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=10)
            assert (process.returncode, errors) == (0, "")
            assert time.monotonic() - before < 5


def call(url: str, body: Any = None, token: str = "") -> Any:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": token, "Content-Type": "application/json"}
    with urlopen(Request(url, data, headers), timeout=10) as answer:
        return json.load(answer)


def test_it_serves_ends_when_told_to_and_goes_on_where_it_was(tmp_path: Path) -> None:
    study, rap_id = "other-institute/diabetes-study", "a" * 16
    with started(tmp_path / "data", "--speed", "0") as url:
        commit = call(f"{url}/api/github/repos/{study}/branches/main", token="token demo-github-token")[
            "commit"
        ]["sha"]
        body = {
            "rap_id": rap_id,
            "backend": "tpp",
            "workspace": "diabetes-main",
            "repo_url": f"https://github.com/{study}",
            "branch": "main",
            "commit": commit,
            "database_name": "default",
            "requested_actions": ["glucose_control"],
            "codelists_ok": True,
            "force_run_dependencies": False,
            "created_by": "researcher",
            "project": "diabetes-outcomes",
            "orgs": [],
        }
        assert call(f"{url}/controller/v1/rap/create/", body, "demo-rap-token")["count"] == 2
    with started(tmp_path / "data") as url:
        status = f"{url}/controller/v1/rap/status/"
        assert [
            job["status_code"] for job in call(status, {"rap_ids": [rap_id]}, "demo-rap-token")["jobs"]
        ] == [
            "created",
            "created",
        ]
        call(f"{url}/control/", {"speed": 200})
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            jobs = call(status, {"rap_ids": [rap_id]}, "demo-rap-token")["jobs"]
            if all(job["status"] == "succeeded" for job in jobs):
                break
            time.sleep(0.05)
        assert {job["status"] for job in jobs} == {"succeeded"}


def test_it_ends_at_once_even_while_an_answer_is_slow(tmp_path: Path) -> None:
    with started(tmp_path / "data", "--speed", "1") as url:
        call(f"{url}/control/", {"fault": {"service": "rap", "kind": "slow", "seconds": 600}})
        with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=5) as waiting:
            waiting.sendall(b"GET /controller/v1/backend/status/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
            time.sleep(0.2)


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        command = [
            sys.executable,
            "-W",
            "ignore",
            "-m",
            "simulator",
            "--data-dir",
            str(tmp_path),
            "--port",
            port,
        ]
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode == 2
    assert port in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_controller_answers_to_the_address_it_was_given(tmp_path: Path) -> None:
    with started(tmp_path / "data", "--base-url", "http://outside.example:8001") as url:
        headers = {"Host": "outside.example:8001", "Authorization": "demo-rap-token"}
        with urlopen(Request(f"{url}/controller/v1/backend/status/", headers=headers), timeout=10) as answer:
            assert answer.status == 200
