"""The form in which a project's members say where it stands (spec: pages 14.2)."""

from typing import Any

from wtforms import Form, HiddenField, SelectField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]
from wtforms.validators import InputRequired, ValidationError

from jobserver.forms.text import at_most, long_text
from jobserver.models import ProjectStatus
from jobserver.templating.states import PROJECT_STATES

LONGEST_DESCRIPTION = 20_000


class EditProjectForm(Form):
    """Status and description. ``version`` stands for what the person saw, ``next`` for where they go."""

    status = SelectField(
        "Status",
        choices=[SelectChoice(status, state.word) for status, state in PROJECT_STATES.items()],
        validators=[InputRequired("Choose a status.")],
        validate_choice=False,
    )
    status_description = TextAreaField(
        "Description",
        description="More about the status, for members and the people who run the service. Markdown.",
        filters=[long_text],
        validators=[at_most(LONGEST_DESCRIPTION)],
    )
    version = HiddenField()
    next = HiddenField()

    @property
    def chosen(self) -> ProjectStatus:
        """The status, once the form is valid."""
        return ProjectStatus(self.status.data)

    def validate_status(self, field: Any) -> None:
        """One of the six."""
        if field.data not in {status.value for status in ProjectStatus}:
            raise ValidationError("Choose one of the statuses shown.")
