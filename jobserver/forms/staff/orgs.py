"""Forms about organisations (spec: staff 7.2 to 7.5)."""

import re
from typing import Any

from wtforms import BooleanField, FileField, Form, HiddenField, StringField, TextAreaField
from wtforms.validators import InputRequired, ValidationError

from jobserver.actions import naming
from jobserver.actions.naming import Refused
from jobserver.forms.staff import logos
from jobserver.forms.staff.logos import Logo, NoLogo
from jobserver.forms.staff.members import AddMembersForm
from jobserver.forms.text import at_most, long_text, stripped

LONGEST_DESCRIPTION = 2000
_REPO = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}")
_CHANNEL = re.compile(r"[\w.-]{1,80}")


class NewOrgForm(Form):
    """A name, of which the slug is made. ``next``: where to go on with the new organisation."""

    name = StringField(
        "Name",
        description="Its address is made of it.",
        filters=[stripped],
        validators=[InputRequired("Give the organisation a name.")],
    )
    take_over = BooleanField("Let old links with this address end here")
    next = HiddenField()

    def validate_name(self, field: Any) -> None:
        """Something that can be read, not too long, of which an address can be made."""
        try:
            naming.slug_for(naming.trimmed("name", field.data), None)
        except Refused as fault:
            raise ValidationError(str(fault)) from fault


class EditOrgForm(Form):
    """All that can be edited. ``version`` stands for what the person saw."""

    name = StringField(
        "Name", filters=[stripped], validators=[InputRequired("Give the organisation a name.")]
    )
    slug = StringField(
        "Slug",
        description="Part of its address and of those of its projects. Old links lead on for a year.",
        filters=[stripped],
        validators=[InputRequired("Give the organisation a slug.")],
    )
    take_over = BooleanField("Let old links with this address end here")
    description = TextAreaField(
        "Description",
        description="A sentence or two, shown on its public page.",
        filters=[long_text],
        validators=[at_most(LONGEST_DESCRIPTION)],
    )
    logo = FileField("Logo", description=f"At most 1 MiB, shown on its public page. {logos.KINDS}")
    remove_logo = BooleanField("Remove the logo")
    output_checking_repo = StringField(
        "Output-checking repository",
        description="As owner/name on GitHub. Without one, the site’s own is told of release requests.",
        filters=[stripped],
    )
    output_checking_channel = StringField(
        "Output-checking channel",
        description="A Slack channel, without #. Without one, the site’s own is told.",
        filters=[lambda value: stripped(value).removeprefix("#")],
    )
    is_internal = BooleanField(
        "It is the service’s own", description="Release requests of its members are labelled internal."
    )
    has_no_copilots = BooleanField(
        "Its projects have no co-pilots", description="The co-piloting dashboard leaves them out."
    )
    version = HiddenField()

    # The picture that was sent, once the form is valid.
    picture: Logo | None = None

    def values(self, stored: str | None) -> dict[str, Any]:
        """The columns of the organisation, whose logo is ``stored`` now; once the form is valid."""
        kept = None if self.remove_logo.data else stored
        return {
            "name": self.name.data,
            "slug": self.slug.data,
            "description": self.description.data or "",
            "logo_file": self.picture.path if self.picture else kept,
            "output_checking_repo": self.output_checking_repo.data or "",
            "output_checking_channel": self.output_checking_channel.data or "",
            "is_internal": bool(self.is_internal.data),
            "has_no_copilots": bool(self.has_no_copilots.data),
        }

    def validate_name(self, field: Any) -> None:
        """Something that can be read, and not too long."""
        try:
            naming.trimmed("name", field.data)
        except Refused as fault:
            raise ValidationError(str(fault)) from fault

    def validate_slug(self, field: Any) -> None:
        """One that can be part of an address."""
        try:
            naming.checked_slug(field.data)
        except Refused as fault:
            raise ValidationError(str(fault)) from fault

    def validate_logo(self, field: Any) -> None:
        """A picture, if a file was sent."""
        file = getattr(field.data, "file", None)
        if file is None or not field.data.filename:
            return
        try:
            self.picture = logos.read(file)
        except NoLogo as fault:
            raise ValidationError(str(fault)) from fault

    def validate_output_checking_repo(self, field: Any) -> None:
        """As owner/name, or nothing."""
        if field.data and not _REPO.fullmatch(field.data):
            raise ValidationError("Enter the owner and the name, such as opensafely/output-review.")

    def validate_output_checking_channel(self, field: Any) -> None:
        """A name that a channel can have, or nothing."""
        if field.data and not _CHANNEL.fullmatch(field.data):
            raise ValidationError("Enter the name of a channel: at most 80 letters, digits, -, _ and dots.")


class GithubOrgForm(Form):
    """One more GitHub organisation."""

    name = StringField(
        "Name of a GitHub organisation",
        filters=[stripped],
        validators=[InputRequired("Enter the name of a GitHub organisation.")],
    )


class OrgMembersForm(AddMembersForm):
    """Who is to belong to the organisation, several at once, perhaps until some day."""

    # Nobody has a role in an organisation.
    roles = None  # type: ignore[assignment]
    users = TextAreaField(
        "Usernames",
        description="One on each line.",
        filters=[long_text],
        validators=[InputRequired("Enter the username of at least one person.")],
    )

    def refuse(self, unknown: list[str], disabled: list[str]) -> None:
        """Say which of those that were typed cannot be added."""
        faults = [(unknown, "Nobody is called"), (disabled, "This account is disabled:")]
        self.users.errors = [f"{words} {', '.join(names)[:500]}." for names, words in faults if names]
