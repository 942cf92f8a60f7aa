"""The form that makes a personal token (spec: access 8.3)."""

from wtforms import Form, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]
from wtforms.validators import DataRequired, InputRequired, NumberRange

from jobserver.actions.personal_tokens import LONGEST_LIFE, LONGEST_NAME
from jobserver.forms.numbers import WholeNumber
from jobserver.forms.staff.fields import Boxes
from jobserver.forms.text import at_most, one_line
from jobserver.models import TokenScope

USUAL_DAYS = 90
# What a scope opens, by its name and in a sentence.
SCOPES = {
    TokenScope.RELEASES: ("Released files", "Lists of released files, and the files themselves."),
    TokenScope.WORKSPACES: ("Workspaces", "Lists of a workspace’s released files, without the files."),
    TokenScope.JOB_REQUESTS: ("Job requests", "The job requests that are going on."),
}


class TokenForm(Form):
    """What a token is for, what it may read, and for how long."""

    name = StringField(
        "Name",
        description="So that you know it again, for example “Nightly report on my laptop”.",
        filters=[one_line],
        validators=[
            DataRequired("Enter a name."),
            at_most(LONGEST_NAME),
        ],
    )
    scopes = Boxes(
        "What may it read?",
        description="As far as you may read it yourself. A token changes nothing.",
        choices=[SelectChoice(scope.value, name) for scope, (name, _) in SCOPES.items()],
        validators=[InputRequired("Tick at least one.")],
        validate_choice=False,
    )
    days = WholeNumber(
        "For how many days?",
        description=f"At most {LONGEST_LIFE.days}. It works to the end of the last day (UTC).",
        validators=[
            InputRequired("Enter how many days."),
            NumberRange(1, LONGEST_LIFE.days, f"Enter a number from 1 to {LONGEST_LIFE.days}."),
        ],
    )
