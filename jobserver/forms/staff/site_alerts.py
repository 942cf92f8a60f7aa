"""The form of a banner (spec: staff 12, 17.19)."""

from datetime import datetime
from typing import Any

from wtforms import Field, Form, HiddenField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]
from wtforms.validators import DataRequired, InputRequired, ValidationError
from wtforms.widgets import TextInput

from jobserver.actions.site_alerts import LONGEST_MESSAGE, LONGEST_TITLE
from jobserver.forms.staff.fields import Choice
from jobserver.forms.text import at_most, long_text, printable, stripped
from jobserver.models import AlertLevel
from jobserver.templating.times import FIRST_YEAR, LAST_YEAR, LONDON

LEVELS = {
    AlertLevel.INFO: "Info",
    AlertLevel.SUCCESS: "Success",
    AlertLevel.WARNING: "Warning",
    AlertLevel.DANGER: "Danger",
}


class MomentField(Field):
    """A day and a time in London, or none; ``data`` is aware. What was typed is kept as it was."""

    widget = TextInput()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.typed = ""

    def process_data(self, value: datetime | None) -> None:
        """Show what is stored."""
        self.data = value
        self.typed = f"{value.astimezone(LONDON):%Y-%m-%dT%H:%M}" if value else ""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read year-month-day, T or a blank, hours:minutes."""
        self.typed = valuelist[0].strip() if valuelist else ""
        self.data = None
        if not self.typed:
            return
        try:
            found = datetime.strptime(self.typed.replace(" ", "T"), "%Y-%m-%dT%H:%M")  # noqa: DTZ007
        except ValueError:
            raise ValueError("Enter a day and a time, such as 2026-11-17T09:30.") from None
        if not FIRST_YEAR <= found.year <= LAST_YEAR:
            raise ValueError(f"Enter a year from {FIRST_YEAR} to {LAST_YEAR}.")
        self.data = found.replace(tzinfo=LONDON)
        if self.data.timestamp() != found.replace(tzinfo=LONDON, fold=1).timestamp():
            raise ValueError("The clocks change in this hour. Choose another time.")

    def _value(self) -> str:
        return self.typed


class SiteAlertForm(Form):
    """What is said, how urgently, from when and until when. ``version``: what the person saw."""

    title = StringField(
        "Title",
        filters=[stripped],
        validators=[at_most(LONGEST_TITLE), printable],
    )
    message = TextAreaField(
        "Message",
        description="Markdown: links, lists, emphasis. Images and HTML are not shown.",
        filters=[long_text],
        validators=[
            DataRequired("Say what people should know."),
            at_most(LONGEST_MESSAGE),
        ],
    )
    level = Choice(
        "Level",
        choices=[SelectChoice(level.value, word) for level, word in LEVELS.items()],
        default=AlertLevel.WARNING.value,
        validate_choice=False,
        validators=[InputRequired("Choose a level.")],
    )
    starts_at = MomentField(
        "Starts", description="London time. Without one it is shown as soon as it is saved."
    )
    ends_at = MomentField("Ends", description="London time. Without one it is shown until it is deleted.")
    version = HiddenField()

    @property
    def values(self) -> dict[str, Any]:
        """The columns of the alert, once the form is valid."""
        return {
            "title": self.title.data or "",
            "message": self.message.data or "",
            "level": self.level.data,
            "starts_at": self.starts_at.data,
            "ends_at": self.ends_at.data,
        }

    def validate_ends_at(self, field: Any) -> None:
        """After its start."""
        starts = self.starts_at.data
        if field.data and starts and field.data <= starts:
            raise ValidationError("Choose a time after the start.")
