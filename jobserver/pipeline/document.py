"""Reads YAML into values that know their line (spec: rap 8, first paragraph).

The file is written by whoever can push to the study's repository, so size, depth and what aliases expand to
are limited before anything walks the values.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer, MaxDepthExceededError
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from jobserver.pipeline.faults import Report, shown

MAX_CHARACTERS = 1_000_000
MAX_VALUES = 100_000
MAX_DEPTH = 50
_MAX_DIGITS = 300
_MERGE = "tag:yaml.org,2002:merge"
_INT = "tag:yaml.org,2002:int"
_SCALARS = (str, int, float, date, bytes)  # a datetime is a date, a bool an int
_UNREADABLE = object()


@dataclass(frozen=True)
class Scalar:
    """A single value: str, int, float, bool, None, date, datetime or bytes; `text` is how it is written."""

    value: object
    text: str
    line: int


@dataclass(frozen=True)
class Sequence:
    """A list."""

    items: "tuple[Node, ...]"
    line: int


@dataclass(frozen=True)
class Entry:
    """One key of a mapping with its value."""

    key: Scalar
    value: "Node"

    @property
    def line(self) -> int:
        return self.key.line


@dataclass(frozen=True)
class Mapping:
    """A mapping in file order, each key once."""

    entries: tuple[Entry, ...]
    line: int

    def get(self, name: str) -> Entry | None:
        """The entry with this key, also if its value is null."""
        return next((entry for entry in self.entries if entry.key.value == name), None)


Node = Scalar | Sequence | Mapping


def is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value is None


def read(text: str, report: Report) -> Mapping | None:
    """The top-level mapping of the file, or None if it cannot be read; the reasons go to the report."""
    if len(text) > MAX_CHARACTERS:
        report.error("yaml", f"project.yaml is larger than {MAX_CHARACTERS:,} characters.")
        return None
    yaml = YAML(typ="safe", pure=True)
    yaml.Composer = _LimitedComposer
    yaml.max_depth = MAX_DEPTH
    try:
        root = yaml.compose(text)
        node = None if root is None else _Reader(yaml.constructor, report).node(root, 0)
    except _Unreadable as error:
        report.error("yaml", str(error), error.line)
        return None
    except MaxDepthExceededError as error:
        report.error("yaml", _TOO_DEEP, _line(error.problem_mark))
        return None
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        report.error("yaml", "The file holds a character that YAML does not allow.", line)
        return None
    except MarkedYAMLError as error:
        last = text.rstrip().count("\n") + 1  # what is never closed is noticed after the last line
        line = min(_line(error.problem_mark or error.context_mark), last)
        report.error("yaml", _syntax_message(error), line)
        return None
    except Exception:  # the YAML library raises what it likes on malformed input
        report.error("yaml", "The file cannot be read as YAML.")
        return None
    if node is None:
        report.error("yaml", "project.yaml is empty.")
    elif not isinstance(node, Mapping):
        report.error("yaml", "project.yaml must be a mapping with `version` and `actions`.", node.line)
    else:
        return node
    return None


_TOO_DEEP = f"Values are nested more than {MAX_DEPTH} deep, or an alias refers to itself."
_TOO_MANY = f"The file holds more than {MAX_VALUES:,} values, counting what its aliases stand for."


class _Unreadable(Exception):
    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


class _LimitedComposer(Composer):
    """Gives up on a file with too many values before spending time on the rest of it."""

    def __init__(self, loader: Any = None) -> None:
        super().__init__(loader)
        self.warn_double_anchors = False
        self.values = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        self.values += 1
        if self.values > MAX_VALUES:
            raise _Unreadable(_TOO_MANY, _line(self.parser.peek_event().start_mark))
        return super().compose_node(parent, index)


class _Reader:
    """Turns composed YAML nodes into values, expanding aliases and merge keys."""

    def __init__(self, constructor: Any, report: Report) -> None:
        self.constructor = constructor
        self.report = report
        self.values = 0

    def node(self, node: Any, depth: int) -> Node:
        line = _line(node.start_mark)
        self.values += 1
        if depth > MAX_DEPTH:
            raise _Unreadable(_TOO_DEEP, line)
        if self.values > MAX_VALUES:
            raise _Unreadable(_TOO_MANY, line)
        if isinstance(node, ScalarNode):
            return self.scalar(node, line)
        # The controller would refuse a tag such as !thing or !!set, or make something else of it.
        if node.tag not in ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"):
            self.report.error("yaml", f"The tag `{shown(str(node.tag))}` is not supported.", line)
        if isinstance(node, SequenceNode):
            return Sequence(tuple(self.node(item, depth + 1) for item in node.value), line)
        return self.mapping(node, line, depth)

    def scalar(self, node: ScalarNode, line: int) -> Scalar:
        text = str(node.value)
        value = self.value(node, text)
        if value is _UNREADABLE:
            self.report.error("yaml", f"`{shown(text)}` cannot be read as a value.", line)
        if any(char == "\0" or "\ud800" <= char <= "\udfff" for char in text):
            self.report.error("yaml", "A text holds a character that cannot be stored.", line)
        return Scalar(value, text, line)

    def value(self, node: ScalarNode, text: str) -> object:
        if node.tag == _INT and len(text) > _MAX_DIGITS:
            return _UNREADABLE
        try:
            value = self.constructor.construct_object(node)
        except Exception:  # the library lets ValueError and others through, as for `!!int x` or `2024-13-01`
            return _UNREADABLE
        return value if value is None or isinstance(value, _SCALARS) else _UNREADABLE

    def mapping(self, node: MappingNode, line: int, depth: int) -> Mapping:
        own: dict[object, Entry] = {}
        merged: dict[object, Entry] = {}
        merge_line = None
        for key_node, value_node in node.value:
            key_line = _line(key_node.start_mark)
            if key_node.tag == _MERGE:
                if merge_line is not None:
                    self.report.error("yaml", f"`<<` is given twice (first on line {merge_line}).", key_line)
                merge_line = key_line
                for entry in self.merged(value_node, key_line, depth):
                    merged.setdefault(entry.key.value, entry)
                continue
            if not isinstance(key_node, ScalarNode):
                raise _Unreadable("A key must be a single word or text, not a list or mapping.", key_line)
            entry = Entry(self.scalar(key_node, key_line), self.node(value_node, depth + 1))
            first = own.setdefault(entry.key.value, entry)
            if first is not entry:
                message = f"`{shown(entry.key.text)}` is given twice (first on line {first.line})."
                self.report.error("yaml", message, key_line)
        return Mapping(tuple({**merged, **own}.values()), line)

    def merged(self, node: Any, line: int, depth: int) -> list[Entry]:
        """The entries that `<<` brings in; of several mappings the first wins."""
        found: list[Entry] = []
        for part in node.value if isinstance(node, SequenceNode) else [node]:
            value = self.node(part, depth + 1)
            if not isinstance(value, Mapping):
                raise _Unreadable("`<<` must name a mapping, or a list of mappings.", line)
            found.extend(value.entries)
        return found


def _line(mark: Any) -> int:
    return int(mark.line) + 1 if mark is not None else 1


def _syntax_message(error: MarkedYAMLError) -> str:
    problem = str(error.problem or error.context or "cannot be read")
    if "another document" in problem:
        return "The file holds more than one YAML document; keep one."
    if r"'\t'" in problem:
        return "A tab is used for indentation; use blanks."
    mark = error.problem_mark or error.context_mark
    column = f", column {mark.column + 1}" if mark is not None else ""
    start = error.context_mark
    begun = f", in what begins on line {_line(start)}" if start and mark and start.line < mark.line else ""
    return f"This is not valid YAML{column}: {shown(problem)}{begun}."
