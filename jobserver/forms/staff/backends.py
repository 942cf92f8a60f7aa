"""The forms about a backend: made, edited, its token replaced, operated (spec: staff 4)."""

import re
from typing import Any

from wtforms import BooleanField, Form, HiddenField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]
from wtforms.validators import DataRequired, InputRequired, NumberRange, ValidationError

from jobserver.actions import naming
from jobserver.actions.backends import LONGEST_OVERLAP, LONGEST_TIMEOUT
from jobserver.actions.site_alerts import LONGEST_MESSAGE, LONGEST_TITLE
from jobserver.forms.numbers import WholeNumber
from jobserver.forms.staff.fields import reason_field
from jobserver.forms.text import at_most, long_text, one_line
from jobserver.models import AlertLevel
from jobserver.queries.path import as_id

HOUR, MINUTE = 3600, 60
MOST_OVERLAP = int(LONGEST_OVERLAP.total_seconds()) // HOUR
MOST_TIMEOUT = int(LONGEST_TIMEOUT.total_seconds()) // MINUTE
LONGEST_ALERT = 30 * 24
_SLUG = re.compile(r"[-a-zA-Z0-9_]+")


def _name() -> Any:
    return StringField(
        "Name",
        description="What people see, for example “TPP”.",
        filters=[one_line],
        validators=[DataRequired("Enter a name."), at_most(naming.LONGEST)],
    )


class NewBackendForm(Form):
    """A backend that is to be made."""

    name = _name()
    slug = StringField(
        "Slug",
        description="Part of addresses, and what the controller calls it. It cannot be changed later.",
        filters=[one_line],
        validators=[DataRequired("Enter a slug."), at_most(naming.LONGEST)],
    )
    is_active = BooleanField(
        "In use", description="People with access can run jobs there, and it is on the status page."
    )
    reason = reason_field()

    def validate_slug(self, field: Any) -> None:
        """Only what an address can hold."""
        if not _SLUG.fullmatch(field.data):
            raise ValidationError("Use letters from A to Z, digits, - and _ only.")


class EditBackendForm(Form):
    """What staff decide about a backend. ``version`` stands for what the person saw."""

    name = _name()
    is_active = BooleanField(
        "In use",
        description="Out of use, nobody can run jobs there, its token opens nothing, and it is not on the "
        "status page.",
    )
    alert_timeout = WholeNumber(
        "Minutes of silence before it counts as missing",
        validators=[
            InputRequired("Enter how many minutes."),
            NumberRange(1, MOST_TIMEOUT, f"Enter a number from 1 to {MOST_TIMEOUT:,}."),
        ],
    )
    reason = reason_field()
    version = HiddenField()


class RotateForm(Form):
    """A new token. ``version`` stands for the tokens there were."""

    overlap = WholeNumber(
        "Hours for which the present token stays valid",
        description=f"From 0, which ends it at once, to {MOST_OVERLAP}. Install the new one meanwhile.",
        validators=[
            InputRequired("Enter how many hours."),
            NumberRange(0, MOST_OVERLAP, f"Enter a number from 0 to {MOST_OVERLAP}."),
        ],
    )
    reason = reason_field()
    version = HiddenField()


class PauseForm(Form):
    """Why nobody can ask for jobs for now."""

    reason = reason_field("Shown to people on the run form and on the status page.", required=True)
    version = HiddenField()


LEVELS = {
    AlertLevel.WARNING: "Warning",
    AlertLevel.DANGER: "Danger",
    AlertLevel.INFO: "Information",
    AlertLevel.SUCCESS: "Good news",
}


class AnnounceForm(Form):
    """What people are told. ``version``: what was said before, and who would get a mail."""

    title = StringField(
        "Title", filters=[one_line], validators=[DataRequired("Enter a title."), at_most(LONGEST_TITLE)]
    )
    message = TextAreaField(
        "Message",
        description="What happened, what it means for people’s jobs, and when there will be more. Markdown.",
        filters=[long_text],
        validators=[DataRequired("Enter a message."), at_most(LONGEST_MESSAGE)],
    )
    level = SelectField(
        "Level",
        choices=[SelectChoice(level.value, words) for level, words in LEVELS.items()],
        default=AlertLevel.WARNING.value,
        validators=[InputRequired("Choose a level.")],
        validate_choice=False,
    )
    hours = WholeNumber(
        "Hours for which it is shown",
        description=f"From 1 to {LONGEST_ALERT}. Without a number it is shown until somebody ends it.",
    )
    mail = BooleanField("Mail it to everybody with a request going on there")
    version = HiddenField()

    def validate_level(self, field: Any) -> None:
        """One of those offered."""
        if field.data not in {level.value for level in LEVELS}:
            raise ValidationError("Choose one of those listed.")

    def validate_hours(self, field: Any) -> None:
        """A number that is not too large, or none."""
        if field.data is not None and not 1 <= field.data <= LONGEST_ALERT:
            raise ValidationError(f"Enter a number from 1 to {LONGEST_ALERT}, or nothing.")


class CancelAllForm(Form):
    """Why everything is to be cancelled; ``requests`` are the ids that the person has seen."""

    reason = reason_field(required=True)
    requests = HiddenField()

    @property
    def ids(self) -> list[int] | None:
        """The requests listed; None if these are no ids."""
        found = [as_id(each) for each in (self.requests.data or "").split(",")]
        return [each for each in found if each] if all(found) else None
