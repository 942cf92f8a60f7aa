"""The body of ``airlock/events/`` (spec: airlock 8.1)."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, model_validator

from jobserver.actions.release_requests import Told
from jobserver.clients.rap_reports import clipped
from jobserver.forms.api.base import REQUIRED, Body, BodyRefused, FilledText, OptionalText, check, wrong
from jobserver.models.choices import AirlockEventType

MOST_UPDATES = 100
LONGEST_UPDATE = 500
LONGEST_NAME = 255
LONGEST_REQUEST = 100
_OWNER = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,99}")
_REPOSITORY = re.compile(r"(?!\.\.?$)[A-Za-z0-9._-]{1,100}")
_TYPES = {each.value: each for each in AirlockEventType}
_WHOLE_BODY = "non_field_errors"


class UnknownEventType(Exception):
    """Airlock tells of something that we do not know. Spec: airlock 8.2."""


def _cut(longest: int) -> AfterValidator:
    """Airlock never repeats an event that was refused: what is only too long is kept as far as it goes."""
    return AfterValidator(lambda text: text and clipped(text, longest))


def _at_most(longest: int) -> AfterValidator:
    def check_length(text: str | None) -> str | None:
        if text is not None and len(text) > longest:
            raise wrong(f"Ensure this field has no more than {longest} characters.")
        return text

    return AfterValidator(check_length)


def _formed(form: re.Pattern[str], words: str) -> AfterValidator:
    def check_form(text: str | None) -> str | None:
        if text and not form.fullmatch(text):
            raise wrong(words)
        return text

    return AfterValidator(check_form)


def _addressable(text: str | None) -> str | None:
    """It becomes a part of the address of the request's page."""
    if text and (not text.isprintable() or "/" in text or text in {".", ".."}):
        raise wrong("Control characters and slashes are not allowed.")
    return text


def _few(updates: object) -> object:
    if isinstance(updates, list) and len(updates) > MOST_UPDATES:
        return [*updates[:MOST_UPDATES], {"update": f"… and {len(updates) - MOST_UPDATES:,} more"}]
    return updates


class Update(Body):
    """What was done within the event; ``update_type`` wins over ``update``."""

    update: Annotated[OptionalText, _cut(LONGEST_UPDATE)] = None
    update_type: Annotated[OptionalText, _cut(LONGEST_UPDATE)] = None
    group: Annotated[OptionalText, _cut(LONGEST_NAME)] = None
    user: Annotated[OptionalText, _cut(LONGEST_NAME)] = None

    @model_validator(mode="after")
    def _says_something(self) -> "Update":
        if not (self.update_type or self.update):
            raise wrong(f"update: {REQUIRED}")
        return self

    def stored(self) -> dict[str, str]:
        """As it is kept: only what was given."""
        told = {"update": self.update_type or self.update, "group": self.group, "user": self.user}
        return {key: text for key, text in told.items() if text}


class Event(Body):
    """What happened to a release request."""

    event_type: FilledText
    workspace: Annotated[FilledText, _at_most(LONGEST_NAME)]
    request: Annotated[OptionalText, _at_most(LONGEST_REQUEST), AfterValidator(_addressable)] = None
    request_author: Annotated[FilledText, _at_most(LONGEST_NAME)]
    user: Annotated[FilledText, _at_most(LONGEST_NAME)]
    updates: Annotated[list[Update] | None, BeforeValidator(_few)] = None
    org: Annotated[OptionalText, _formed(_OWNER, "This is no owner on GitHub.")] = None
    repo: Annotated[OptionalText, _formed(_REPOSITORY, "This is no name of a repository.")] = None


def told(value: object) -> Told:
    """The event in the body. Raises :class:`BodyRefused`, or :class:`UnknownEventType`."""
    kind = value.get("event_type") if isinstance(value, dict) else None
    if isinstance(kind, str | int | float) and not isinstance(kind, bool):
        name = str(kind).strip()
        if name and name.lower() not in _TYPES:
            raise UnknownEventType(name[:100])
    body = check(Event, value)
    if bool(body.org) != bool(body.repo):
        missing, given = ("repo", "org") if body.org else ("org", "repo")
        raise BodyRefused({missing: [f"This field is required together with {given}."]})
    return Told(
        event_type=_TYPES[body.event_type.lower()],
        workspace=body.workspace,
        request=body.request or "",
        request_author=body.request_author,
        user=body.user,
        updates=[each.stored() for each in body.updates or ()],
        checking_repo=f"{body.org}/{body.repo}" if body.org else "",
    )


def message(errors: Mapping[str, Any]) -> str:
    """All errors of a body as one line: ``key: what is wrong; other key: …``."""
    return "; ".join(f"{key}: {text}" for key, text in _flat(errors))


def _flat(errors: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(errors, Mapping):
        for key, inner in errors.items():
            name = "body" if key == _WHOLE_BODY else key
            yield from _flat(inner, f"{path}.{name}" if path else name)
    elif isinstance(errors, list):
        for each in errors:
            yield from _flat(each, path)
    else:
        yield path, str(errors)
