"""Coloured `project.yaml`."""

from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers.data import YamlLexer


def yaml(text: str) -> Markup:
    """The YAML as spans with Pygments' short class names, without a wrapper and without styles."""
    formatter: HtmlFormatter[str] = HtmlFormatter(nowrap=True)
    # Pygments escapes the text it wraps in spans.
    return Markup(highlight(text, YamlLexer(stripnl=False), formatter))  # noqa: S704
