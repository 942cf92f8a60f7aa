"""The form in which staff edit a workspace (spec: staff 14)."""

from wtforms import BooleanField, Form, HiddenField, StringField, TextAreaField
from wtforms.validators import InputRequired

from jobserver.actions import naming
from jobserver.forms.staff.fields import reason_field
from jobserver.forms.text import at_most, long_text, printable, stripped
from jobserver.forms.workspaces import LONGEST_PURPOSE


class EditWorkspaceForm(Form):
    """Its project, whether it is archived, its purpose, and why. ``version``: what the person saw."""

    project = StringField(
        "Project",
        description="Its slug or number, or words of its name to look for. Old links lead on for a year.",
        filters=[stripped],
        validators=[
            InputRequired("Enter the project that the workspace belongs to."),
            at_most(naming.LONGEST),
            printable,
        ],
    )
    is_archived = BooleanField("Archived", description="Nothing new can be run in it.")
    purpose = TextAreaField(
        "Purpose",
        filters=[long_text],
        validators=[at_most(LONGEST_PURPOSE)],
    )
    reason = reason_field()
    version = HiddenField()
