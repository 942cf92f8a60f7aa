"""The form in which a file is shown, by what follows the last dot of its name."""

from enum import StrEnum
from pathlib import PurePosixPath

# Bytes: files that are read for a page are not larger.
LARGEST = 128 * 1024 * 1024


class Form(StrEnum):
    """How a file is shown."""

    TABLE = "table"
    PICTURE = "picture"
    PAGE = "page"
    PDF = "pdf"
    JSON = "json"
    MARKDOWN = "markdown"
    TEXT = "text"
    # Only as a download.
    NONE = "none"


_SUFFIXES = {
    Form.TABLE: "csv",
    # What browsers show as an image, without its scripts. A compressed SVG has another suffix, svgz.
    Form.PICTURE: "gif jpeg jpg png svg webp",
    Form.PAGE: "htm html",
    Form.PDF: "pdf",
    Form.JSON: "json",
    Form.MARKDOWN: "md",
    Form.TEXT: "bib cfg css do ini ipynb js jsonl log py qmd r rmd sas sh sql tex toml tsv txt xml yaml yml",
}
_FORMS = {suffix: form for form, suffixes in _SUFFIXES.items() for suffix in suffixes.split()}


def form_of(name: str) -> Form:
    """The form of a file of this name."""
    return _FORMS.get(PurePosixPath(name).suffix[1:].lower(), Form.NONE)
