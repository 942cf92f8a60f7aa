"""The form that redacts a released file (spec: airlock 12.34, pages 30.75)."""

import unicodedata
from typing import Any

from wtforms import Form, StringField, TextAreaField
from wtforms.validators import DataRequired, ValidationError

from jobserver.actions.redaction import LONGEST_REASON
from jobserver.forms.text import at_most, long_text


class RedactForm(Form):
    """Why, and the name of the file, typed to show that it is the one that is meant."""

    reason = TextAreaField(
        "Reason",
        description="Kept beside the file for good and mailed to the Project Developers."
        " Say what was wrong without repeating it.",
        filters=[long_text],
        validators=[
            DataRequired("Say why the file has to go."),
            at_most(LONGEST_REASON),
        ],
    )
    confirmation = StringField(
        "Name of the file",
        validators=[DataRequired("Type the name of the file.")],
    )

    def expect(self, name: str) -> None:
        """Set the name of the file."""
        self._name = name

    def validate_confirmation(self, field: Any) -> None:
        """The name without its folders."""
        if _seen(field.data) != to_type(self._name):
            raise ValidationError("This is not the name of the file. Nothing was redacted.")


def to_type(name: str) -> str:
    """What of the name has to be typed: it without its folders, unless nothing of that can be seen."""
    return _seen(name.rpartition("/")[2]) or _seen(name)


def _seen(name: str) -> str:
    """The name as a page shows it: runs of white space as one space, and nothing that has no shape."""
    shapes = [each for each in unicodedata.normalize("NFC", name) if unicodedata.category(each) != "Cf"]
    return " ".join("".join(shapes).split())
