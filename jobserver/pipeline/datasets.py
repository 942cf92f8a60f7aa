"""Rules for the commands that extract patient data (spec: rap 8, rules 16 and 17)."""

import posixpath
import re
from collections.abc import Sequence
from fnmatch import fnmatchcase

from jobserver.pipeline.commands import VERSION, Command
from jobserver.pipeline.faults import Report, shown
from jobserver.pipeline.outputs import HIGHLY, Output

_VERBS = ("generate-dataset", "generate_dataset")
# The controller looks at the text with exactly one blank.
_AS_THE_CONTROLLER_SEES_IT = re.compile(rf"(?:ehrql|databuilder):{VERSION} generate[-_]dataset")


def check_cohort(
    action: str, command: Command, outputs: Sequence[Output], levels: int, line: int, report: Report
) -> None:
    """Rule 16: an old cohort extraction writes to one directory, at one privacy level."""
    if command.image != "cohortextractor" or command.verb != "generate_cohort":
        return
    if levels != 1:
        report.error("16", f"Action `{shown(action)}` must use exactly one privacy level.", line, action)
    directories = {posixpath.dirname(output.path) for output in outputs}
    if len(directories) > 1 and not _names_output_dir(command):
        message = f"Action `{shown(action)}` must write all its files to one directory."
        report.error("16", message, line, action)


def _names_output_dir(command: Command) -> bool:
    return any(word == "--output-dir" or word.startswith("--output-dir=") for word in command.words)


def check_dataset(
    action: str, command: Command, outputs: Sequence[Output], line: int, report: Report
) -> None:
    """Rule 17 (spec: rap 8.2), on the split words.

    Text that only differs in blanks or quotes escapes the controller's rule. It must not escape the first
    part, which keeps patient data from being viewed; the rest is then a warning.
    """
    if command.image not in ("ehrql", "databuilder") or not command.verb.startswith(_VERBS):
        return
    for output in outputs:
        if output.level != HIGHLY:
            message = f"Datasets must be {HIGHLY} (action `{shown(action)}`)."
            report.error("17.1", message, output.line, action)
            break
    note = report.error if _AS_THE_CONTROLLER_SEES_IT.match(command.text) else report.warn
    target = command.option("--output")
    if not target:
        note("17.2", f"Action `{shown(action)}` needs `--output`.", line, action)
    elif outputs and not _written_to(target, [output.path for output in outputs]):
        note("17.3", f"The outputs of `{shown(action)}` do not match its `--output`.", line, action)


def _written_to(target: str, paths: Sequence[str]) -> bool:
    directory, slash, last = target.rpartition("/")
    name, colon, extension = last.partition(":")
    if not colon:
        return target in paths
    pattern = f"{directory}{slash}{name}".rstrip("/") + f"/*.{extension}"
    return all(fnmatchcase(path, pattern) for path in paths)
