"""Checks a whole `project.yaml` (spec: rap 8)."""

from collections.abc import Iterable, Iterator, Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import combinations

from jobserver.pipeline.document import Mapping, read
from jobserver.pipeline.drafts import Draft, read_action
from jobserver.pipeline.faults import PipelineInvalid, Report, in_order, shown
from jobserver.pipeline.header import check_entries, check_expectations, read_version
from jobserver.pipeline.model import Pipeline
from jobserver.pipeline.outputs import Output, broken_rules, overlap

_MOST_CYCLES = 20
_CYCLE_NAMES_SHOWN = 10
_MOST_COMPARED = 100_000
_LONGEST_COMPARED = 300


def parse(text: str) -> Pipeline:
    """Read a `project.yaml`. Raises PipelineInvalid with all faults; never anything else."""
    report = Report()
    top = read(text, report)
    version = None
    drafts: list[Draft] = []
    if top is not None:
        check_entries(top, report)
        version = read_version(top, report)
        drafts = _read_actions(top, version, report)
        _check_whole_file(drafts, version, report)
        check_expectations(top, version, report)
    if report.faults or version is None:
        raise PipelineInvalid(in_order(report.faults))
    actions = [draft.action(draft.command) for draft in drafts if draft.command]
    by_name = {action.name: action for action in reversed(actions)}  # `1` and `"1"`: the first stands
    in_file_order = {name: by_name[name] for name in dict.fromkeys(action.name for action in actions)}
    return Pipeline(version, in_file_order, tuple(in_order(report.warnings)))


def _read_actions(top: Mapping, version: float | None, report: Report) -> list[Draft]:
    """Rules 5 to 17."""
    entry = top.get("actions")
    if entry is None or not isinstance(entry.value, Mapping):
        line = entry.line if entry else None
        report.error("5", "`actions` must map action names to their settings.", line)
        return []
    return [read_action(action, version, report) for action in entry.value.entries]


def _check_whole_file(drafts: Sequence[Draft], version: float | None, report: Report) -> None:
    """Rules 18 to 22, cycles, and overlapping patterns."""
    _check_images(drafts, version, report)
    _check_same_commands(drafts, report)
    _check_same_paths(drafts, version, report)
    _check_overlaps(drafts, report)
    _check_needs(drafts, report)
    _check_cycles(drafts, report)


def _check_images(drafts: Iterable[Draft], version: float | None, report: Report) -> None:
    """Rules 18 and 19."""
    if version is None:
        return
    for draft in drafts:
        if draft.command is None:
            continue
        if version >= 4 and draft.command.image.startswith("cohortextractor"):
            message = f"cohortextractor is no longer supported (action `{shown(draft.name)}`)."
            report.error("18", message, draft.run_line, draft.name)
        if version >= 5 and draft.command.version == "latest":
            image = shown(draft.command.image)
            message = (
                f"Action `{shown(draft.name)}` uses `{image}:latest`; name a version such as `{image}:v2`."
            )
            report.error("19", message, draft.run_line, draft.name)


def _check_same_commands(drafts: Iterable[Draft], report: Report) -> None:
    """Rule 20; the controller lets commands pass that only differ in blanks or quotes: a warning."""
    by_text: dict[str, Draft] = {}
    by_words: dict[tuple[str, ...], Draft] = {}
    for draft in drafts:
        if draft.run is None:
            continue
        same_text = by_text.setdefault(draft.run, draft)
        same_words = by_words.setdefault(draft.command.words, draft) if draft.command else draft
        if same_text is not draft:
            report.error("20", _same_command(same_text, draft), draft.run_line, draft.name)
        elif same_words is not draft:
            report.warn("20", _same_command(same_words, draft), draft.run_line, draft.name)


def _same_command(one: Draft, other: Draft) -> str:
    return f"Actions `{shown(one.name)}` and `{shown(other.name)}` run the same command."


def _check_same_paths(drafts: Iterable[Draft], version: float | None, report: Report) -> None:
    """Rule 21; before version 2 the controller does not mind."""
    note = report.error if version is not None and version >= 2 else report.warn
    seen: set[str] = set()
    for draft in drafts:
        for output in draft.outputs:
            if output.path in seen:
                message = f"Output path `{shown(output.path)}` is used more than once."
                note("21", message, output.line, draft.name)
            seen.add(output.path)


def _check_overlaps(drafts: Iterable[Draft], report: Report) -> None:
    """Warn of patterns that may match each other's files; given up for files with very many outputs."""
    paths: dict[str, tuple[Draft, Output]] = {}
    for draft in drafts:
        for output in draft.outputs:
            valid = len(output.path) <= _LONGEST_COMPARED and not any(broken_rules(output.path, output.level))
            if valid:
                paths.setdefault(output.path, (draft, output))
    patterns = [path for path in paths if "*" in path]
    if len(patterns) * len(paths) > _MOST_COMPARED:
        return
    plain = [path for path in paths if "*" not in path]
    pairs = [*combinations(patterns, 2), *((path, pattern) for pattern in patterns for path in plain)]
    for one, other in pairs:
        if overlap(one, other):
            draft, output = max(paths[one], paths[other], key=lambda found: found[1].line)
            message = f"The output paths `{shown(one)}` and `{shown(other)}` may name the same file."
            report.warn("overlap", message, output.line, draft.name)


def _check_needs(drafts: Sequence[Draft], report: Report) -> None:
    """Rule 22, and repeated entries, which do no harm."""
    names = {draft.name for draft in drafts}
    for draft in drafts:
        seen: set[str] = set()
        for need in draft.needs:
            if need.name not in names:
                message = f"Action `{shown(draft.name)}` needs `{shown(need.name)}`, which does not exist."
                report.error("22", message, need.line, draft.name)
            elif need.name in seen:
                message = f"Action `{shown(draft.name)}` names `{shown(need.name)}` twice in `needs`."
                report.warn("needs-repeated", message, need.line, draft.name)
            seen.add(need.name)


def _check_cycles(drafts: Sequence[Draft], report: Report) -> None:
    """Actions that need each other can never run; the controller fails on them without saying why."""
    by_name = {draft.name: draft for draft in drafts}
    needs = {
        draft.name: {need.name: None for need in draft.needs if need.name in by_name} for draft in drafts
    }
    for cycle in _cycles(needs, list(by_name)):
        draft = by_name[cycle[0]]
        line = next((need.line for need in draft.needs if need.name == cycle[1]), draft.line)
        report.error("cycle", _cycle_message(cycle), line, draft.name)


def _cycles(needs: dict[str, dict[str, None]], order: Sequence[str]) -> Iterator[list[str]]:
    """Cycles such as [a, b, a] (a needs b), each starting with its first action in the file."""
    position = {name: index for index, name in enumerate(order)}
    for _ in range(_MOST_CYCLES):
        try:
            TopologicalSorter(needs).prepare()
        except CycleError as error:
            found: list[str] = error.args[1][::-1]  # graphlib goes from the needed to the needing
        else:
            return
        start = min(range(len(found) - 1), key=lambda index: position[found[index]])
        cycle = [*found[start:-1], *found[:start], found[start]]
        yield cycle
        del needs[cycle[-2]][cycle[-1]]


def _cycle_message(cycle: Sequence[str]) -> str:
    if len(cycle) == 2:
        return f"Action `{shown(cycle[0])}` needs itself."
    names = [f"`{shown(name)}`" for name in cycle]
    if len(names) > _CYCLE_NAMES_SHOWN:
        names = [*names[: _CYCLE_NAMES_SHOWN - 2], "…", names[-1]]
    return f"Actions need each other in a circle: {' needs '.join(names)}."
