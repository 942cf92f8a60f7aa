"""Creating and editing a project by staff (spec: staff 8.3, 8.5)."""

from collections.abc import Sequence
from datetime import UTC, datetime, time
from typing import Any

from wtforms import BooleanField, Form, HiddenField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]
from wtforms.validators import InputRequired, ValidationError

from jobserver.actions import naming, projects
from jobserver.actions.naming import Refused
from jobserver.forms.projects import LONGEST_DESCRIPTION
from jobserver.forms.staff.fields import Boxes, Choice, DayField, reason_field
from jobserver.forms.text import at_most, long_text, stripped
from jobserver.models import Org, ProjectCategory, User
from jobserver.templating.states import PROJECT_STATES

CATEGORIES: dict[str, str] = {
    ProjectCategory.INTERNAL: "Internal platform and data development",
    ProjectCategory.LEGACY: "Legacy COVID research, before specific approval",
    ProjectCategory.LEGACY_APPROVED: "Legacy approved COVID research",
    ProjectCategory.APPROVED: "Approved non-COVID research",
    ProjectCategory.UNKNOWN: "Not known",
}


class _ProjectForm(Form):
    """What a project has from its beginning. What may be chosen is set by :meth:`offer`."""

    number = StringField(
        "Number",
        description="Digits, or one from the list of all projects such as POS-2026-3001.",
        filters=[stripped],
    )
    name = StringField("Name", filters=[stripped], validators=[InputRequired("Give the project a name.")])
    org = Choice(
        "Lead organisation",
        validate_choice=False,
        validators=[InputRequired("Choose the organisation that leads the project.")],
    )
    other_orgs = Boxes("Other organisations that take part", validate_choice=False)
    copilot = Choice(
        "Co-pilot",
        description="Needed for a number that begins with POS.",
        validate_choice=False,
    )
    take_over = BooleanField("Let old links with this address end here")

    def offer(self, orgs: Sequence[Org], copilots: Sequence[User]) -> None:
        """Set the organisations and the people that may be chosen."""
        self._orgs = {org.slug: org for org in orgs}
        self._copilots = {user.username: user for user in copilots}
        self.org.choices = [
            SelectChoice("", "Choose one"),
            *(SelectChoice(org.slug, org.name) for org in orgs),
        ]
        self.other_orgs.choices = [SelectChoice(org.slug, org.name) for org in orgs]
        people = [SelectChoice(user.username, f"{user.fullname} ({user.username})") for user in copilots]
        self.copilot.choices = [SelectChoice("", "Nobody"), *people]

    def choose(self, slug: str) -> None:
        """Have this organisation chosen to lead, if there is one of the slug."""
        if slug in self._orgs:
            self.org.data = slug

    @property
    def lead(self) -> Org:
        """The organisation chosen to lead, once the form is valid."""
        return self._orgs[self.org.data]

    @property
    def others(self) -> list[Org]:
        """The further organisations chosen, once the form is valid."""
        return [self._orgs[slug] for slug in self.other_orgs.data or () if slug != self.org.data]

    @property
    def pilot(self) -> User | None:
        """The co-pilot chosen, once the form is valid."""
        return self._copilots.get(self.copilot.data or "")

    def validate_number(self, field: Any) -> None:
        """It has one of the two forms, or is not given."""
        _refused(projects.checked_number, field.data)

    def validate_name(self, field: Any) -> None:
        """Something that can be read."""
        _refused(lambda name: naming.trimmed("name", name), field.data)

    def validate_copilot(self, field: Any) -> None:
        """Projects of the common list have somebody who helps them (spec: staff 8.3, 17.30)."""
        if not field.data and (self.number.data or "").startswith("POS-"):
            raise ValidationError("Choose a co-pilot: a project whose number begins with POS needs one.")

    def refuse(self, refused: Refused) -> None:
        """Show a refusal at the field that is at fault."""
        field = self._fields.get(refused.field, self._fields["name"])
        field.errors = [*field.errors, str(refused)]


class CreateProjectForm(_ProjectForm):
    """A new project."""


class EditProjectForm(_ProjectForm):
    """All that staff may change. ``version`` stands for what the person saw."""

    slug = StringField(
        "Address",
        description="The part of its address that is the project’s own. Old links go on working.",
        filters=[stripped],
        validators=[InputRequired("Give the project an address.")],
    )
    status = Choice(
        "Status",
        choices=[SelectChoice(status, state.word) for status, state in PROJECT_STATES.items()],
        validate_choice=False,
        validators=[InputRequired("Choose a status.")],
    )
    status_description = TextAreaField(
        "About the status",
        description="Markdown. For its members and for staff.",
        filters=[long_text],
        validators=[at_most(LONGEST_DESCRIPTION)],
    )
    category = Choice(
        "Data category",
        choices=[SelectChoice(value, label) for value, label in CATEGORIES.items()],
        validate_choice=False,
        validators=[InputRequired("Choose a category.")],
    )
    copilot_support_ends_at = DayField("Support by the co-pilot ends on")
    copilot_notes = TextAreaField(
        "Notes for co-pilots",
        filters=[long_text],
        validators=[at_most(LONGEST_DESCRIPTION)],
    )
    reason = reason_field()
    version = HiddenField()

    @property
    def support_ends_at(self) -> datetime | None:
        """The day on which support ends, as it is kept: midnight in UTC."""
        day = self.copilot_support_ends_at.data
        return datetime.combine(day, time(), UTC) if day else None

    def validate_slug(self, field: Any) -> None:
        """Letters, digits, - and _."""
        _refused(naming.checked_slug, field.data)


def _refused(check: Any, value: str | None) -> None:
    try:
        check(value or "")
    except Refused as refused:
        raise ValidationError(str(refused)) from refused
