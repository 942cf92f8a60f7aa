"""The form in which staff edit a workspace (spec: staff 14)."""

from typing import Any

from wtforms import BooleanField, Form, HiddenField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, ValidationError

from jobserver.forms.staff.fields import one_line, reason_field
from jobserver.forms.text import long_text
from jobserver.forms.workspaces import LONGEST_PURPOSE
from jobserver.models import Project, Workspace

YES_NO = {True: "Yes", False: "No"}


class EditWorkspaceForm(Form):
    """Its project, whether it is archived, its purpose, and why. ``version``: what the person saw."""

    project = StringField(
        "Project",
        description="Its slug or number, or words of its name to look for. Old links lead on for a year.",
        filters=[one_line],
        validators=[
            InputRequired("Enter the project that the workspace belongs to."),
            Length(max=255, message="Shorten this to 255 characters or fewer."),
        ],
    )
    is_archived = BooleanField("Archived", description="Nothing new can be run in it.")
    purpose = TextAreaField(
        "Purpose",
        filters=[long_text],
        validators=[
            Length(
                max=LONGEST_PURPOSE, message=f"The purpose may have at most {LONGEST_PURPOSE:,} characters."
            )
        ],
    )
    reason = reason_field()
    version = HiddenField()

    def validate_project(self, field: Any) -> None:
        """Something that can be looked for."""
        if field.data and not field.data.isprintable():
            raise ValidationError("Use no control characters.")

    def texts(self) -> list[tuple[str, str]]:
        """Each field as people read it."""
        archived = YES_NO[bool(self.is_archived.data)]
        return [
            ("Project", self.project.data or ""),
            ("Archived", archived),
            ("Purpose", self.purpose.data or ""),
        ]


def stored_texts(workspace: Workspace, project: Project) -> list[tuple[str, str]]:
    """Each field of a stored workspace as people read it."""
    return [
        ("Project", project.slug),
        ("Archived", YES_NO[workspace.is_archived]),
        ("Purpose", workspace.purpose),
    ]
