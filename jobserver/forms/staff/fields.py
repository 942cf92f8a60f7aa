"""Fields that several forms of the staff area have."""

from typing import Any

from wtforms import DateField, SelectField, SelectMultipleField, TextAreaField
from wtforms.validators import DataRequired, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from jobserver.actions.backend_operations import LONGEST_REASON
from jobserver.forms.text import at_most, one_line
from jobserver.templating.times import day_of


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
        self.data = day_of(text)
        if text and self.data is None:
            raise ValueError("Enter a day as year-month-day, such as 2027-03-31.")


def reason_field(
    description: str = "Kept in the audit log.", *, required: bool = False, field_id: str | None = None
) -> Any:
    """Why something is done, on one line."""
    needed = [DataRequired("Say why.")] if required else []
    return TextAreaField(
        "Reason",
        id=field_id,
        description=description,
        filters=[one_line],
        validators=[*needed, at_most(LONGEST_REASON)],
    )


def _values(choices: Any) -> set[str]:
    return {str(each.value) for each in choices or ()}
