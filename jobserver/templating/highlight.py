"""Coloured `project.yaml`."""

import html
import re
from collections.abc import Callable, Iterator

from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers.data import YamlLexer

# A tag, or a word between tags: Pygments escapes what it colours, so no text holds a "<".
_TAG_OR_WORD = re.compile(r"(<[^>]*>)|([^<\s]+)")
_PATH = re.compile(r"[\w.-]+(/[\w.-]+)+")
_RUN = re.compile(r"( *)(- )?run *:")


def yaml(text: str, file_url: Callable[[str], str] | None = None) -> Markup:
    """The YAML as spans with Pygments' short class names, without a wrapper and without styles.

    With ``file_url``, which gives the address of a file of the repository, what looks like a script in the
    `run` lines is linked to it.
    """
    # As Pygments does, so that lines stay the same lines.
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    formatter: HtmlFormatter[str] = HtmlFormatter(nowrap=True)
    # Pygments escapes the text it wraps in spans.
    coloured = highlight(text, YamlLexer(stripnl=False, ensurenl=False), formatter)
    if file_url is None:
        return Markup(coloured)  # noqa: S704
    lines = coloured.split("\n")
    for at in _run_lines(text):
        if at < len(lines):
            lines[at] = _TAG_OR_WORD.sub(lambda found: _linked(found, file_url), lines[at])
    return Markup("\n".join(lines))  # noqa: S704


def script_path(word: str) -> str | None:
    """The path in the repository that a word of a command looks like, if it does (spec: pages 11)."""
    word = word.strip("'\"")
    if "/" not in word or word.startswith("-") or "output" in word:
        return None
    path = word.removeprefix("/workspace/").removeprefix("./").removeprefix("/")
    return path if _PATH.fullmatch(path) and ".." not in path.split("/") else None


def _linked(found: re.Match[str], file_url: Callable[[str], str]) -> str:
    tag, word = found.groups()
    path = None if tag else script_path(html.unescape(word))
    return f'<a href="{html.escape(file_url(path))}">{word}</a>' if path else found[0]


def _run_lines(text: str) -> Iterator[int]:
    """The lines of `run` entries, with those that carry a command on, which are indented deeper."""
    inside = -1
    for at, line in enumerate(text.split("\n")):
        indent = len(line) - len(line.lstrip(" "))
        begins = _RUN.match(line)
        if begins:
            inside = indent
        elif line.strip() and indent <= inside:
            inside = -1
        if inside >= 0:
            yield at
