"""The forms on the way in."""

from wtforms import Form, StringField
from wtforms.validators import DataRequired, ValidationError

from jobserver.actions.naming import Malformed
from jobserver.actions.users import normal_fullname
from jobserver.forms.text import at_most, stripped

LONGEST_NAME = 200


def _visible(_form: Form, field: StringField) -> None:
    try:
        field.data = normal_fullname(field.data or "")
    except Malformed as fault:
        raise ValidationError(f"A name {fault.why}.") from fault


class NameForm(Form):
    """The name that GitHub could not give."""

    name = StringField(
        "Your name",
        description="Shown beside the jobs you run, on the public record.",
        filters=[stripped],
        validators=[
            DataRequired("Enter your name."),
            at_most(LONGEST_NAME),
            _visible,
        ],
    )
