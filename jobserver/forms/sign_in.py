"""The forms on the way in."""

from wtforms import Form, StringField
from wtforms.validators import DataRequired, Length, ValidationError

from jobserver.actions.naming import Malformed
from jobserver.actions.users import normal_fullname

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
        filters=[lambda value: (value or "").strip()],
        validators=[
            DataRequired("Enter your name."),
            Length(max=LONGEST_NAME, message=f"A name may have at most {LONGEST_NAME} characters."),
            _visible,
        ],
    )
