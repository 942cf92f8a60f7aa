"""What kind of file a name stands for: its glyph in the tree, and a word."""

from pathlib import PurePosixPath

from jobserver.contents.forms import Form, form_of

_ICONS = {
    Form.TABLE: "table-cells",
    Form.PICTURE: "photo",
    Form.PAGE: "globe-alt",
    Form.PDF: "document-text",
    Form.JSON: "code-bracket",
    Form.MARKDOWN: "document-text",
    Form.TEXT: "document-text",
    Form.NONE: "document",
}
# Every glyph that a tree may show, so that the page has them all before parts of a tree come in.
ICONS = [*_ICONS.values(), "clock", "ellipsis-horizontal", "folder", "folder-open", "no-symbol"]
LONGEST_SUFFIX = 8


def icon_of(name: str) -> str:
    """The glyph of a file of this name."""
    return _ICONS[form_of(name)]


def word_of(name: str) -> str:
    """What people call such a file: "CSV file"."""
    suffix = PurePosixPath(name).suffix[1:]
    return f"{suffix.upper()} file" if 0 < len(suffix) <= LONGEST_SUFFIX else "File"
