"""The ``jobserver`` command for unit tests."""

import pytest
from click.testing import CliRunner, Result
from sqlalchemy.orm import Session

from jobserver import observability
from jobserver.scripts import main
from jobserver.settings import Settings
from tests.unit.command import Run, variables


@pytest.fixture
def environ(settings: Settings) -> dict[str, str]:
    """Variables that point the command at the test's database."""
    return variables(settings)


@pytest.fixture
def run(environ: dict[str, str], settings: Settings, db: Session) -> Run:
    """Runs the command in this process; further variables are given by name."""
    observability.configure(settings)

    def runner(*arguments: str, **given: str | None) -> Result:
        return CliRunner().invoke(main, arguments, env={**environ, **given})

    return runner
