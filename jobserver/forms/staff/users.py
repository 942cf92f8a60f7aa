"""The forms about a person in the staff area (spec: staff 13)."""

from typing import Any

from wtforms import BooleanField, Form, HiddenField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]
from wtforms.validators import InputRequired, ValidationError
from wtforms.widgets import CheckboxInput

from jobserver.actions import naming
from jobserver.forms.staff.fields import reason_field
from jobserver.forms.text import at_most
from jobserver.models.choices import GLOBAL_ROLES, Role
from jobserver.security.roles import ROLES


class RolesForm(Form):
    """All of somebody's global roles. ``own`` confirms that they are one's own."""

    roles = SelectMultipleField(
        "Global roles",
        choices=[SelectChoice(role.value, ROLES[role].name) for role in GLOBAL_ROLES],
        option_widget=CheckboxInput(),
        validate_choice=False,
    )
    own = BooleanField("Yes, change my own roles")
    reason = reason_field("Kept in the audit log, and told to those whom we mail about the change.")
    version = HiddenField()

    @property
    def chosen(self) -> list[Role]:
        """The roles, once the form is valid."""
        return [Role(value) for value in self.roles.data or ()]

    def validate_roles(self, field: Any) -> None:
        """Only those offered."""
        if set(field.data or ()) - set(GLOBAL_ROLES):
            field.data = [value for value in field.data if value in GLOBAL_ROLES]
            raise ValidationError("Choose among the roles listed here.")

    def validate_own(self, field: Any) -> None:
        """Somebody else's need none; the page takes the field away then."""
        if not field.data:
            raise ValidationError("These are your own roles. Tick the box to change them.")


class AccountForm(Form):
    """Name and address. What they may be, the action knows."""

    fullname = StringField(
        "Full name",
        description="Shown beside the jobs that they run, on the public record.",
        validators=[InputRequired("Enter a name."), at_most(naming.LONGEST)],
    )
    email = StringField("Email address", description="Only staff can see it.")
    reason = reason_field()
    version = HiddenField()


class ReasonForm(Form):
    """Why something is done."""

    reason = reason_field()
