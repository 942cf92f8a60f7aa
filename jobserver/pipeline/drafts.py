"""Reads one action and checks what can be said about it alone (spec: rap 8, rules 6 to 17)."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date

from jobserver.pipeline import outputs as paths
from jobserver.pipeline.commands import Command, CommandInvalid, split
from jobserver.pipeline.datasets import check_cohort, check_dataset
from jobserver.pipeline.document import Entry, Mapping, Node, Scalar, Sequence, is_null
from jobserver.pipeline.faults import Report, shown
from jobserver.pipeline.model import RUN_ALL, Action
from jobserver.pipeline.outputs import Output

_ENTRIES = ("run", "outputs", "needs", "config", "dummy_data_file")
_USABLE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")


@dataclass(frozen=True)
class Need:
    """One entry of `needs`."""

    name: str
    line: int


@dataclass
class Draft:
    """As much of an action as could be read, for the rules that look at the whole file."""

    name: str
    line: int
    run: str | None = None
    run_line: int = 0
    command: Command | None = None
    needs: list[Need] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)
    config: dict[str, object] | None = None
    dummy_data_file: str | None = None

    def action(self, command: Command) -> Action:
        """The finished action."""
        outputs: dict[str, dict[str, str]] = {}
        for output in self.outputs:
            outputs.setdefault(output.level, {})[output.name] = output.path
        return Action(
            name=self.name,
            command=command,
            needs_as_written=tuple(need.name for need in self.needs),
            outputs=outputs,
            config=self.config,
            dummy_data_file=self.dummy_data_file,
            line=self.line,
        )


def read_action(entry: Entry, version: float | None, report: Report) -> Draft:
    """Check one action; faults go to the report, and what could be read is handed back."""
    draft = Draft(name=entry.key.text, line=entry.line)
    _check_name(entry, version, report)
    if isinstance(entry.value, Mapping):
        _Checker(draft, entry.value, version, report).check()
    else:
        message = f"Action `{shown(draft.name)}` must be a mapping with `run` and `outputs`."
        report.error("7", message, draft.line, draft.name)
    return draft


def _check_name(entry: Entry, version: float | None, report: Report) -> None:
    """Rule 6, and names that will not do in addresses and file names; old files have some, so only warn."""
    name = entry.key.text
    if entry.key.value == RUN_ALL and version is not None:
        note = report.error if version >= 5 else report.warn
        note("6", f"`{RUN_ALL}` is a reserved name; rename this action.", entry.line, name)
    if not isinstance(entry.key.value, str):
        message = f"The action name `{shown(name)}` is not text; put it in quotes."
        report.warn("name", message, entry.line, name)
    elif not _USABLE_NAME.fullmatch(name):
        message = (
            f"The action name `{shown(name)}` cannot be used in addresses and file names; "
            "use letters without accents, digits, `_`, `-` and `.`, at most 100."
        )
        report.warn("name", message, entry.line, name)


class _Checker:
    """Checks the settings of one action."""

    def __init__(self, draft: Draft, settings: Mapping, version: float | None, report: Report) -> None:
        self.draft = draft
        self.settings = settings
        self.version = version
        self.report = report
        self.shown = shown(draft.name)

    def check(self) -> None:
        for entry in self.settings.entries:
            if entry.key.value not in _ENTRIES:
                self.error(
                    "8", f"Action `{self.shown}` has an unknown entry `{shown(entry.key.text)}`.", entry.line
                )
        for required in ("run", "outputs"):
            if self.settings.get(required) is None:
                self.error("7", f"Action `{self.shown}` has no `{required}`.", self.draft.line)
        levels = self.outputs()
        self.needs()
        self.config()
        self.dummy_data_file()
        self.command(levels)

    def error(self, rule: str, message: str, line: int) -> None:
        self.report.error(rule, message, line, self.draft.name)

    def wrong_type(self, entry: Entry, kind: str) -> None:
        self.error("9", f"In action `{self.shown}`, `{entry.key.text}` must be {kind}.", entry.line)

    def given(self, name: str) -> Entry | None:
        entry = self.settings.get(name)
        return None if entry is None or is_null(entry.value) else entry

    def outputs(self) -> int:
        """Rules 9 to 13; how many known privacy levels are given."""
        entry = self.settings.get("outputs")
        if entry is None:
            return 0
        if not isinstance(entry.value, Mapping):
            self.wrong_type(entry, "a mapping of privacy levels")
            return 0
        levels = [
            level
            for level in entry.value.entries
            if level.key.value in paths.LEVELS and not is_null(level.value)
        ]
        for level in entry.value.entries:
            if level.key.value not in paths.LEVELS:
                message = f"Action `{self.shown}` uses an unknown privacy level `{shown(level.key.text)}`."
                self.error("11", message, level.line)
        if not levels:
            self.no_output(entry.line, self.report.error)
        for level in levels:
            self.draft.outputs.extend(self.level(level))
        if levels and all(isinstance(level.value, Mapping) and not level.value.entries for level in levels):
            # The controller takes an empty privacy level for an output, and runs the action.
            self.no_output(entry.line, self.report.warn)
        return len(levels)

    def no_output(self, line: int, note: Callable[[str, str, int, str], None]) -> None:
        message = f"Action `{self.shown}` names no output; give at least one privacy level."
        note("10", message, line, self.draft.name)

    def level(self, level: Entry) -> Iterator[Output]:
        if not isinstance(level.value, Mapping):
            message = f"`{level.key.text}` of action `{self.shown}` must map names to file names."
            self.error("12", message, level.line)
            return
        for entry in level.value.entries:
            path = _text(entry.value)
            if path is None:
                message = f"Output `{shown(entry.key.text)}` of action `{self.shown}` must be a file name."
                self.error("12", message, entry.line)
                continue
            for letter, reason in paths.broken_rules(path, level.key.text):
                message = f"Output path `{shown(path)}` of action `{self.shown}`: {reason}."
                self.error(f"13{letter}", message, entry.value.line)
            yield Output(level.key.text, entry.key.text, path, entry.value.line)

    def needs(self) -> None:
        """Rules 9 and 15."""
        entry = self.given("needs")
        if entry is None:
            return
        if not isinstance(entry.value, Sequence):
            self.wrong_type(entry, "a list")
            return
        for item in entry.value.items:
            name = _text(item)
            if name is None:
                message = f"In action `{self.shown}`, each entry of `needs` must be the name of an action."
                self.error("15", message, item.line)
            elif " " in name:
                self.error("15", f"Separate the entries of `needs` by commas: `{shown(name)}`.", item.line)
            else:
                self.draft.needs.append(Need(name, item.line))

    def config(self) -> None:
        entry = self.given("config")
        if entry is None:
            return
        if not isinstance(entry.value, Mapping):
            self.wrong_type(entry, "a mapping")
            return
        self.draft.config = {item.key.text: self.plain(item.value) for item in entry.value.entries}

    def plain(self, node: Node) -> object:
        if isinstance(node, Mapping):
            return {entry.key.text: self.plain(entry.value) for entry in node.entries}
        if isinstance(node, Sequence):
            return [self.plain(item) for item in node.items]
        if isinstance(node.value, date | bytes):  # datetime is a date
            message = f"In action `{self.shown}`, put `{shown(node.text)}` in `config` in quotes."
            self.report.warn("9", message, node.line, self.draft.name)
            return node.text
        return node.value

    def dummy_data_file(self) -> None:
        entry = self.given("dummy_data_file")
        if entry is None:
            return
        self.draft.dummy_data_file = _text(entry.value)
        if self.draft.dummy_data_file is None:
            self.wrong_type(entry, "a file name")

    def command(self, levels: int) -> None:
        """Rules 9, 14, 16 and 17."""
        entry = self.settings.get("run")
        if entry is None:
            return
        text = _text(entry.value)
        if text is None:
            self.wrong_type(entry, "text")
            return
        self.draft.run, self.draft.run_line = text, entry.line
        try:
            command = self.draft.command = split(text)
        except CommandInvalid as error:
            self.error("14", f"The command of action `{self.shown}` {error}", entry.line)
            return
        if not (self.version is not None and self.version >= 4):  # from 4 on, rule 18 refuses it anyway
            check_cohort(self.draft.name, command, self.draft.outputs, levels, entry.line, self.report)
        check_dataset(self.draft.name, command, self.draft.outputs, entry.line, self.report)


def _text(node: Node) -> str | None:
    return node.value if isinstance(node, Scalar) and isinstance(node.value, str) else None
