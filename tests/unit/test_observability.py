"""What the log holds."""

import subprocess
import sys

import pytest

PROGRAM = """
import structlog
from jobserver import observability
from tests.conftest import make_settings

observability.configure(make_settings("postgresql://nowhere/none", debug={debug}))
secret = "-".join(["hidden", "in", "a", "variable"])
try:
    {{}}[len(secret)]
except KeyError:
    structlog.get_logger("jobserver.test").exception("it_failed")
"""


@pytest.mark.parametrize("debug", [True, False])
def test_a_traceback_holds_no_values_of_variables(debug: bool) -> None:
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM.format(debug=debug)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "it_failed" in ran.stderr
    assert "KeyError" in ran.stderr
    assert "hidden-in-a-variable" not in ran.stderr + ran.stdout
