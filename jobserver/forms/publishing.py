"""What is sent to have released files made public, and to decide about it (spec: airlock 12.36 to 12.39)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from wtforms import Form, StringField, TextAreaField
from wtforms.validators import DataRequired

from jobserver.forms.text import at_most, long_text, one_line

LONGEST_TITLE, LONGEST_SUMMARY, LONGEST_REASON = 200, 5000, 2000
LONGEST_SEARCH = 200


class WordsForm(Form):
    """What a set of outputs is called, and what it is about."""

    title = StringField(
        "Title",
        description="What are these outputs? Whoever cites them will use it.",
        filters=[one_line],
        validators=[
            DataRequired("Give the outputs a title."),
            at_most(LONGEST_TITLE),
        ],
    )
    summary = TextAreaField(
        "Summary",
        description="What they show, for somebody who does not know the study. Markdown works. Public.",
        filters=[long_text],
        validators=[at_most(LONGEST_SUMMARY)],
    )


class ReasonForm(Form):
    """Why something is refused or taken back."""

    reason = TextAreaField(
        "Reason",
        filters=[long_text],
        validators=[
            DataRequired("Say why, so that it can be put right."),
            at_most(LONGEST_REASON),
        ],
    )


@dataclass(frozen=True)
class Choice:
    """The files chosen so far, by id, and what is wanted next.

    Those on the page come as fields of their own; all others, however many, in one field: a form has only so
    many. ``go``: a verb, for some with what it is about after a colon.
    """

    ids: frozenset[str] = frozenset()
    find: str = ""
    page: str = ""
    go: str = ""

    @classmethod
    def read(cls, sent: Any) -> "Choice":
        """From a form or an address."""
        one = {name: sent.get(name, "") for name in ("files", "find", "page", "go")}
        one = {name: value if isinstance(value, str) else "" for name, value in one.items()}
        ticked = [value for value in sent.getall("file") if isinstance(value, str)]
        find = one_line(one["find"])[:LONGEST_SEARCH]
        return cls(frozenset([*one["files"].split(), *ticked]), find, one["page"], one["go"])

    @property
    def verb(self) -> str:
        """What is wanted."""
        return self.go.partition(":")[0]

    @property
    def about(self) -> str:
        """What it is about."""
        return self.go.partition(":")[2]

    def without(self, ids: Iterable[str]) -> str:
        """The ids but these, as one field has them."""
        return " ".join(sorted(self.ids - set(ids)))
