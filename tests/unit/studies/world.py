"""A simulated GitHub with one repository, one branch of it for each way a study can be."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from simulator.testing import RunningSimulator, running_simulator

OWNER, NAME = "demo-university", "odd-studies"
URL = f"https://github.com/{OWNER}/{NAME}"

PLAIN = """version: "5"
actions:
  extract:
    run: ehrql:v1 generate-dataset analysis/dataset.py --output output/data.csv.gz
    outputs:
      highly_sensitive:
        data: output/data.csv.gz
  table:
    run: python:v2 python analysis/table.py
    needs: [extract]
    outputs:
      moderately_sensitive:
        table: output/table.csv
  free:
    run: python:v2 python analysis/free.py
    outputs:
      moderately_sensitive:
        text: output/free.txt
"""
FAULTY = """version: "5"
actions:
  table:
    run: python:v2 python analysis/table.py
    needs: [<script>alert(1)</script>]
    outputs:
      public:
        table: output/table.csv
  empty:
    outputs:
      moderately_sensitive:
        table: output/empty.csv
"""
NOT_YAML = 'version: "5"\nactions:\n\tfoo: bar\n'
SQLRUNNER = PLAIN.replace("python:v2 python analysis/free.py", "sqlrunner:v1 query.sql")
COHORT = PLAIN.replace('version: "5"', "version: 3\nexpectations: {population_size: 10}").replace(
    "ehrql:v1 generate-dataset analysis/dataset.py --output output/data.csv.gz",
    "cohortextractor:v1 generate_cohort",
)
BRANCHES: dict[str, dict[str, bytes]] = {
    "main": {"project.yaml": PLAIN.encode()},
    "empty": {"README.md": b"Nothing yet"},
    "faulty": {"project.yaml": FAULTY.encode()},
    "not-yaml": {"project.yaml": NOT_YAML.encode()},
    "latin-1": {"project.yaml": "version: 5 # é".encode("latin-1")},
    "huge": {"project.yaml": b"# " + b"x" * 1_100_000},
    "cohort": {"project.yaml": COHORT.encode()},
    "sqlrunner": {"project.yaml": SQLRUNNER.encode()},
    "lists-missing": {"project.yaml": PLAIN.encode(), "codelists/codelists.txt": b"org/list/1\n"},
    "lists-stale": {
        "project.yaml": PLAIN.encode(),
        "codelists/codelists.txt": b"org/list/1\n",
        "codelists/codelists.json": b'{"files": {}}',
    },
    "lists-current": {
        "project.yaml": PLAIN.encode(),
        "codelists/codelists.txt": b"",
        "codelists/codelists.json": b'{"files": {}}',
    },
    "feature/with/slashes": {"project.yaml": PLAIN.encode()},
    "many": {
        "project.yaml": b'version: "5"\nactions:\n'
        + b"".join(
            b"  a%d:\n    run: python:v2 python a.py %d\n    outputs: {moderately_sensitive: {x: output/%d.csv}}\n"
            % (n, n, n)
            for n in range(20)
        )
    },
}


def config(directory: Path) -> dict[str, Any]:
    """The simulated world, its files written below the directory."""
    commits = []
    for number, (branch, files) in enumerate(BRANCHES.items()):
        for path, content in files.items():
            file = directory / str(number) / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        commits.append(
            {
                "branch": branch,
                "message": f"Study of {branch} <b>\n\nAt length",
                "author": {"name": "Zoë Hale", "email": "zoe@example.com"},
                "at": "2025-05-20T15:05:00Z",
                "directory": str(number),
            }
        )
    repository = {
        "name": f"{OWNER}/{NAME}",
        "private": True,
        "created_at": "2025-01-14T09:00:00Z",
        "commits": commits,
        "tags": {"v1": "main"},
    }
    simulator = {
        "rap_tokens": {"rap": ["tpp", "emis"]},
        "github_tokens": ["github"],
        "slack_tokens": ["slack"],
        "repositories": [repository],
    }
    backends = [{"slug": "tpp", "name": "TPP"}, {"slug": "emis", "name": "EMIS"}]
    return {"directory": str(directory), "backends": backends, "simulator": simulator}


@contextmanager
def running(directory: Path) -> Iterator[RunningSimulator]:
    """That world, running."""
    with running_simulator(directory / "data", config(directory), speed=0) as world:
        yield world
