"""Adding members to a project, and changing their roles there (spec: staff 8.7)."""

import re
from datetime import datetime
from typing import Any

from wtforms import Form, HiddenField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]
from wtforms.validators import InputRequired, ValidationError

from jobserver.forms.staff.fields import Boxes, DayField
from jobserver.forms.text import long_text
from jobserver.models import Role, utcnow
from jobserver.models.choices import PROJECT_ROLES
from jobserver.security.roles import ROLES
from jobserver.templating.times import end_of_day, last_day

MOST = 100
NOBODY = "Enter the username of at least one person."
HINTS = {role.value: f"{ROLES[role].description}." for role in PROJECT_ROLES}


class MemberForm(Form):
    """Roles on a project, and until when.

    ``version`` stands for what the person saw, ``next`` for where they go.
    """

    roles = Boxes(
        "Roles on this project",
        description="Without any, somebody is named as a member and may do no more than others.",
        choices=[SelectChoice(role.value, ROLES[role].name) for role in PROJECT_ROLES],
        validate_choice=False,
    )
    last_day = DayField("Last day", description="The membership ends with this day. Without one it goes on.")
    version = HiddenField()
    next = HiddenField()

    # The last day that is kept already, which may be past.
    kept: datetime | None = None

    @property
    def chosen(self) -> list[Role]:
        """The roles, once the form is valid."""
        return [Role(each) for each in self.roles.data or ()]

    @property
    def ends_at(self) -> datetime | None:
        """When the membership ends, if it does."""
        return end_of_day(self.last_day.data) if self.last_day.data else None

    def validate_last_day(self, field: Any) -> None:
        """Not past, unless it was so before."""
        unchanged = self.kept is not None and field.data == last_day(self.kept)
        if field.data and end_of_day(field.data) <= utcnow() and not unchanged:
            raise ValidationError(
                "Choose today or a later day. To end the membership now, remove the member."
            )


class AddMembersForm(MemberForm):
    """Who becomes a member, several at once."""

    users = TextAreaField(
        "Usernames",
        description="One on each line. All of them get the same roles.",
        filters=[long_text],
        validators=[InputRequired(NOBODY)],
    )

    @property
    def usernames(self) -> list[str]:
        """Those that were typed, each once."""
        names = re.split(r"[\s,;]+", self.users.data or "")
        return list({name.lower(): name for name in names if name}.values())

    def validate_users(self, _field: Any) -> None:
        """At least one, and not a whole list."""
        if not self.usernames:
            raise ValidationError(NOBODY)
        if len(self.usernames) > MOST:
            raise ValidationError(f"Enter at most {MOST} usernames at once.")
