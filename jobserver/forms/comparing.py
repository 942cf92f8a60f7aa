"""The number of the request that another is compared with."""

from wtforms import Form, StringField
from wtforms.validators import InputRequired, ValidationError

from jobserver.queries.path import as_id


def _number(_form: Form, field: StringField) -> None:
    if as_id(field.data or "") is None:
        raise ValidationError("Enter the number of a job request, such as 1038.")


class CompareForm(Form):
    """Sent with GET; the field is called "with" in the address."""

    other = StringField(
        "Compare with request",
        description="The number of any request of this workspace.",
        filters=[lambda value: (value or "").strip().removeprefix("#")],
        validators=[InputRequired("Enter the number of a job request."), _number],
        name="with",
    )

    @property
    def number(self) -> int:
        """What was entered, once it has been validated."""
        return as_id(self.other.data or "") or 0

    def refuse(self, reason: str) -> None:
        """Say what is wrong with the number."""
        self.other.errors = [*self.other.errors, reason]
