"""Running the ``jobserver`` command against the test's own database."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from click.testing import Result
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from jobserver.settings import Settings

ROOT = Path(__file__).parent.parent.parent
DEMONSTRATION = ROOT / "simulator" / "demo.json"
COMMAND = [sys.executable, "-W", "ignore", "-c", "from jobserver.scripts import main; main()"]

Run = Callable[..., Result]


def variables(settings: Settings) -> dict[str, str]:
    """Variables that point the command at the test's database."""
    return {
        "JOBSERVER_INI": str(ROOT / "development.ini"),
        "DATABASE_URL": settings.database_url,
        "RAP_API_BASE_URL": "http://127.0.0.1:9/",
    }


def process(environ: dict[str, str], *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    return subprocess.run(
        [*COMMAND, *arguments],
        input=stdin,
        env={"PATH": os.environ["PATH"], **environ},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def ok(result: Result) -> str:
    """What a command that succeeded printed."""
    assert result.exit_code == 0, result.output + repr(result.exception)
    return result.stdout


def refused(result: Result, words: str) -> None:
    """The command said no in one line on stderr, and printed nothing."""
    assert (result.exit_code, result.stdout) == (1, ""), result.output
    assert re.search(words, result.stderr), result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def count(db: Session, model: Any) -> int:
    """How many rows there are by now."""
    db.expire_all()
    return db.scalar(select(func.count()).select_from(model)) or 0
