"""Fields that several forms of the staff area have."""

from datetime import date
from typing import Any

from wtforms import DateField, SelectField, SelectMultipleField, TextAreaField
from wtforms.validators import Length, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from jobserver.forms.text import long_text

LONGEST_REASON = 1000
# Dates that anybody can mean: others are slips of the hand.
FIRST_YEAR, LAST_YEAR = 2000, 2100


class Choice(SelectField):
    """One of those offered: any other value is a fault that says so."""

    def pre_validate(self, _form: Any) -> None:
        """Refuse what was not offered; nothing at all is for other validators."""
        if self.data and self.data not in _values(self.choices):
            raise ValidationError("Choose one of those listed here.")


class Boxes(SelectMultipleField):
    """Check boxes, of those offered."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()

    def pre_validate(self, _form: Any) -> None:
        """Refuse what was not offered."""
        if not set(self.data or ()) <= _values(self.choices):
            raise ValidationError("Choose among those listed here.")


class DayField(DateField):
    """A calendar day, or none."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read year-month-day."""
        text = valuelist[0].strip() if valuelist else ""
        self.data = None
        if not text:
            return
        try:
            self.data = date.fromisoformat(text) if len(text) == 10 else None
        except ValueError:
            self.data = None
        if self.data is None or not FIRST_YEAR <= self.data.year <= LAST_YEAR:
            self.data = None
            raise ValueError("Enter a day as year-month-day, such as 2027-03-31.")


def reason_field() -> TextAreaField:
    """Why something is done, for the audit log."""
    return TextAreaField(
        "Reason",
        description="Why you do this, for whoever reads the audit log.",
        filters=[long_text],
        validators=[
            Length(max=LONGEST_REASON, message=f"Shorten this to {LONGEST_REASON:,} characters or fewer.")
        ],
    )


def one_line(value: object) -> str:
    """What was typed, without outer white space."""
    return value.strip() if isinstance(value, str) else ""


def _values(choices: Any) -> set[str]:
    return {str(each.value) for each in choices or ()}
