"""The run form: where, what and how (spec: rap 7.3)."""

import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

from wtforms import BooleanField, Field, Form, HiddenField, RadioField, SelectMultipleField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]
from wtforms.validators import InputRequired, ValidationError

from jobserver.actions.job_requests import SWITCHED_OFF_TOGETHER
from jobserver.models import Backend
from jobserver.pipeline.faults import shown
from jobserver.queries.backends import BackendRow
from jobserver.security import tokens
from jobserver.studies import Codelists

UPDATE_COMMAND = "opensafely codelists update"
_MOST_NAMED = 5
_IDENTIFIER = re.compile(r"[a-z2-7]{16}")


class Preset:
    """Marks a question that one of the answers is ticked for at first, so that it is not "optional"."""

    field_flags: ClassVar[dict[str, bool]] = {"required": True}

    def __call__(self, form: Form, field: Field) -> None:
        """Whatever comes is an answer."""


def usable(backends: Iterable[BackendRow], *, creation_disabled: bool) -> list[BackendRow]:
    """Those of a person's active backends that new requests may be made for just now."""
    return [
        row
        for row in backends
        if not row.takes_no_requests and not (creation_disabled and row.backend.slug in SWITCHED_OFF_TOGETHER)
    ]


class RunJobsForm(Form):
    """A request for jobs. ``commit`` is the one that the page showed, ``once`` the request's identifier."""

    backend = RadioField(
        "Where should it run?",
        validators=[InputRequired("Choose where it should run.")],
        validate_choice=False,
    )
    requested_actions = SelectMultipleField("What should run?", validate_choice=False)
    force_run_dependencies = BooleanField(
        "Run needed actions again, even if they succeeded",
        description="Use this when the data has changed but the code has not.",
    )
    will_notify = RadioField(
        "Send an email when the request ends?",
        choices=[SelectChoice("True", "Yes"), SelectChoice("False", "No")],
        validators=[Preset()],
        validate_choice=False,
    )
    commit = HiddenField()
    once = HiddenField()
    paused: Mapping[str, Backend] = MappingProxyType({})

    @property
    def wants_mail(self) -> bool:
        """Absent means no, and so do nothing, ``false`` and ``0``; anything else is yes."""
        return (self.will_notify.data or "").strip().lower() not in {"", "false", "0"}

    @property
    def identifier(self) -> str:
        """The identifier that the form was given, or a new one if it has none that can be used."""
        given = self.once.data or ""
        return given if _IDENTIFIER.fullmatch(given) else tokens.new_identifier()

    @property
    def chosen(self) -> list[str]:
        """The ticked actions in the order sent, each once."""
        return list(dict.fromkeys(self.requested_actions.data or []))

    def offer(
        self, backends: Iterable[BackendRow], actions: Iterable[str], paused: Iterable[Backend] = ()
    ) -> None:
        """Set what may be chosen. ``paused`` are backends that take no new requests for now."""
        self.paused = {backend.slug: backend for backend in paused}
        self.backend.choices = [SelectChoice(row.backend.slug, row.backend.name) for row in backends]
        self.requested_actions.choices = [SelectChoice(name, name) for name in actions]

    def validate_backend(self, field: Any) -> None:
        """One that is offered."""
        paused = self.paused.get(field.data)
        if paused is not None:
            raise ValidationError(
                f"{paused.name} takes no new job requests for now: {paused.creation_pause_reason}"
            )
        if field.data not in {choice.value for choice in field.choices}:
            raise ValidationError(f"“{shown(str(field.data))}” cannot be chosen. Choose one of those shown.")

    def validate_requested_actions(self, field: Any) -> None:
        """At least one, and only those of the file."""
        if not field.data:
            raise ValidationError("Choose at least one action.")
        unknown = [name for name in self.chosen if name not in {choice.value for choice in field.choices}]
        if unknown:
            raise ValidationError(
                f"{named(unknown)} {'is not an action' if len(unknown) == 1 else 'are no actions'} "
                "of project.yaml at this commit. Choose among those shown."
            )

    def refuse(self, actions: Sequence[str], codelists: Codelists) -> None:
        """Say that these actions cannot read the database with the codelists as they are."""
        reads = "reads" if len(actions) == 1 else "read"
        if codelists is Codelists.UNKNOWN:
            reason = (
                f"{named(actions)} {reads} the database, and OpenCodelists did not say whether the codelists "
                "are up to date. Try again in a few minutes, or choose actions that can run without."
            )
        else:
            reason = (
                f"{named(actions)} {reads} the database, but the codelists are out of date. "
                f"Run {UPDATE_COMMAND} in the study's folder, commit and push; "
                "or choose actions that can run without."
            )
        self.requested_actions.errors = [*self.requested_actions.errors, reason]


def named(actions: Sequence[str]) -> str:
    """Names for a sentence, at most a few of them."""
    names = [shown(name) or "“”" for name in actions[:_MOST_NAMED]]
    rest = len(actions) - len(names)
    if rest:
        return f"{', '.join(names)} and {rest:,} more"
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)
