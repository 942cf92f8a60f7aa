"""The top level of the file: its entries, `version` and `expectations` (spec: rap 8, rules 1 to 4 and 23)."""

from jobserver.pipeline.document import Mapping, Node, Scalar, is_null
from jobserver.pipeline.faults import Report, shown

NEWEST_VERSION = 5
_ENTRIES = ("version", "actions", "expectations")


def check_entries(top: Mapping, report: Report) -> None:
    """Rule 1."""
    for entry in top.entries:
        if entry.key.value not in _ENTRIES:
            message = (
                f"Unknown top-level entry `{shown(entry.key.text)}`; "
                "only version, actions and expectations are allowed."
            )
            report.error("1", message, entry.line)


def read_version(top: Mapping, report: Report) -> float | None:
    """Rules 2 to 4; None if no version can be made out.

    The controller takes any number up to 5, such as 3.5, 0, `true` or `nan`, and compares it with the
    versions of each rule. So such a number is warned about and then compared in the same way.
    """
    entry = top.get("version")
    if entry is None or is_null(entry.value):
        line = entry.line if entry else None
        report.error("2", f"project.yaml needs a `version` (the newest is {NEWEST_VERSION}).", line)
        return None
    version = _number(entry.value)
    written = shown(entry.value.text) if isinstance(entry.value, Scalar) else "a list or mapping"
    if version is None:
        message = f"`version` must be a number from 1 to {NEWEST_VERSION}, not `{written}`."
        report.error("3", message, entry.line)
        return None
    if version > NEWEST_VERSION:
        message = f"`version` {written} is newer than the newest known version, {NEWEST_VERSION}."
        report.error("4", message, entry.line)
        return None
    is_flag = isinstance(entry.value, Scalar) and isinstance(entry.value.value, bool)
    if is_flag or version not in range(1, NEWEST_VERSION + 1):
        message = f"`version` should be a whole number from 1 to {NEWEST_VERSION}, not `{written}`."
        report.warn("3", message, entry.line)
        return version
    if version < NEWEST_VERSION:
        message = f"Version {int(version)} of project.yaml is old; the newest is {NEWEST_VERSION}."
        report.warn("old-version", message, entry.line)
    return int(version)


def _number(node: Node) -> float | None:
    if not isinstance(node, Scalar) or not isinstance(node.value, str | int | float):
        return None
    try:
        return float(node.value)
    except ValueError:
        return None


def check_expectations(top: Mapping, version: float | None, report: Report) -> None:
    """Rule 23: needed in version 3, ignored before and up to 4, forbidden from 4 on."""
    entry = top.get("expectations")
    given = entry is not None and not is_null(entry.value)
    if version is not None and version >= 4 and given:
        message = "`expectations` is not used since version 4; remove it."
        report.error("23", message, entry.line if entry else None)
    if version != 3:
        return
    if entry is None or not given or not isinstance(entry.value, Mapping):
        line = entry.line if entry else None
        report.error("23", "Version 3 needs `expectations.population_size`.", line)
        return
    size = entry.value.get("population_size")
    if size is None:
        report.error("23", "Version 3 needs `expectations.population_size`.", entry.line)
    elif not _is_whole(size.value):
        report.error("23", "`expectations.population_size` must be a whole number.", size.line)
    for other in entry.value.entries:
        if other is not size:
            message = f"`expectations` has an unknown entry `{shown(other.key.text)}`."
            report.error("23", message, other.line)


def _is_whole(node: Node) -> bool:
    if not isinstance(node, Scalar) or not isinstance(node.value, str | int | float):
        return False
    try:
        int(node.value)
    except (ValueError, OverflowError):
        return False
    return True
