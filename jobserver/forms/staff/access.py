"""The question who may do what: about a person, an address, a permission, or any two of them."""

from wtforms import Form, SelectField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]
from wtforms.validators import ValidationError

from jobserver.actions import naming
from jobserver.forms.text import at_most, stripped
from jobserver.security.permissions import Permission, permission_named

LONGEST_ADDRESS = 2000


class AccessForm(Form):
    """Of whom and of what is asked. An address may be a whole one, as it is copied from a browser."""

    user = StringField(
        "Person",
        description="A username. Without one you see who may do each thing there.",
        filters=[stripped],
        validators=[at_most(naming.LONGEST)],
    )
    at = StringField(
        "Address of a page",
        description="Such as /my-organisation/my-project/. Without one the whole site is meant.",
        filters=[stripped],
        validators=[at_most(LONGEST_ADDRESS)],
    )
    permission = SelectField(
        "Do what",
        choices=[
            SelectChoice("", "Anything"),
            *[
                SelectChoice(each.value, each.sentence[0].upper() + each.sentence[1:])
                for each in sorted(Permission, key=lambda each: each.sentence)
            ],
        ],
        filters=[stripped],
        validate_choice=False,
    )

    def validate_user(self, field: StringField) -> None:
        """No name has a zero in it, which the database would not take."""
        if "\0" in (field.data or ""):
            raise ValidationError("Nobody has this username.")

    def validate_at(self, field: StringField) -> None:
        """What can be walked: printable."""
        if field.data and not field.data.isprintable():
            raise ValidationError("There is no such page.")

    def validate_permission(self, field: SelectField) -> None:
        """One that there is."""
        if field.data and permission_named(field.data) is None:
            raise ValidationError("Choose one of the things listed here.")

    @property
    def address(self) -> str:
        """The path that is asked about."""
        at = self.at.data or "/"
        path = at.partition("://")[2].partition("/")[2] if "://" in at else at.lstrip("/")
        return f"/{path.partition('?')[0].partition('#')[0]}"

    @property
    def wanted(self) -> Permission | None:
        """The permission that is asked about, if it is one."""
        return permission_named(self.permission.data)
