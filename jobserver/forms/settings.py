"""The forms of the settings pages."""

from wtforms import BooleanField, Form, RadioField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs
from wtforms.validators import InputRequired, ValidationError

from jobserver.actions import naming
from jobserver.actions.mail_preferences import OFFERED
from jobserver.models import MailChoice, MailKind


class _Filled:
    """Something else than white space, and not too much of it."""

    field_flags = {"required": True}  # noqa: RUF012

    def __init__(self, message: str, longest: int) -> None:
        self.message = message
        self.longest = longest

    def __call__(self, _form: Form, field: StringField) -> None:
        """Say what is missing."""
        text = (field.data or "").strip()
        if not text:
            raise ValidationError(self.message)
        if len(text) > self.longest:
            raise ValidationError(f"It may have at most {self.longest} characters.")


class AccountForm(Form):
    """Who one is."""

    fullname = StringField(
        "Full name",
        description="Shown beside the jobs you run, on the public record.",
        validators=[_Filled("Enter your name.", naming.LONGEST)],
    )
    email = StringField(
        "Email address",
        description="Only our staff can see it. A new address takes effect once you have followed the link "
        "that we mail there.",
        validators=[_Filled("Enter your email address.", 254)],
    )


_WORDS = {
    MailChoice.ALWAYS: "Always",
    MailChoice.FAILURES: "Only if something failed",
    MailChoice.NEVER: "Never",
}
_YES_NO = {MailChoice.ALWAYS: "Yes", MailChoice.NEVER: "No"}
_CHOOSE = InputRequired("Choose one of these.")


def _offered(kind: MailKind, words: dict[MailChoice, str]) -> list[SelectChoice]:
    return [SelectChoice(choice.value, words[choice]) for choice in OFFERED[kind]]


class NotificationsForm(Form):
    """When one wants each kind of mail; the fields are named after the kinds."""

    request_ended = RadioField(
        "When a job request has ended",
        choices=_offered(MailKind.REQUEST_ENDED, _WORDS),
        validators=[_CHOOSE],
    )
    first_failure = RadioField(
        "At once, when the first job of a request fails?",
        choices=_offered(MailKind.FIRST_FAILURE, _YES_NO),
        validators=[_CHOOSE],
    )

    @property
    def choices(self) -> dict[MailKind, MailChoice]:
        """What was chosen, once the form is valid."""
        return {kind: MailChoice(self[kind.value].data) for kind in MailKind}


THEMES = {"system": "As my device", "light": "Light", "dark": "Dark"}


class DisplayForm(Form):
    """How pages look in this browser."""

    theme = RadioField(
        "Colours",
        choices=[SelectChoice(value, label) for value, label in THEMES.items()],
        validators=[_CHOOSE],
    )
    exact_times = BooleanField(
        "Show exact times",
        description="“17 Nov 2026, 13:21:40 GMT” in place of “9 min ago”. All times are those of London.",
    )
    single_keys = BooleanField(
        "Use single-key shortcuts",
        description="Such as / for the search and j for the next row. Switch them off if they get in the way "
        "of speech input or other aids.",
    )
