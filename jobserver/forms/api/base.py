"""What all JSON bodies share: kinds of fields, and errors as clients know them (spec: airlock 1.4)."""

from collections.abc import Callable
from datetime import UTC, datetime
from math import isfinite
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import PydanticCustomError

REQUIRED = "This field is required."
NULL = "This field may not be null."
BLANK = "This field may not be blank."
LARGEST_WHOLE = 2**63 - 1
LONGEST_NUMBER = 100


class BodyRefused(Exception):
    """The body cannot be used; ``errors`` is the JSON that says why."""

    def __init__(self, errors: Any) -> None:
        self.errors = errors
        super().__init__(str(errors))


class Body(BaseModel):
    """A JSON object; keys that are not named are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)


def wrong(message: str) -> PydanticCustomError:
    """The error with exactly this text."""
    return PydanticCustomError("wrong", "{text}", {"text": message})


def _text(value: object) -> str:
    if value is None:
        raise wrong(NULL)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise wrong("Not a valid string.")
    text = str(value).strip()
    if "\0" in text or (not text.isascii() and any("\ud800" <= each <= "\udfff" for each in text)):
        raise wrong("Null characters and half surrogates are not allowed.")
    return text


def _filled_text(value: object) -> str:
    text = _text(value)
    if not text:
        raise wrong(BLANK)
    return text


def _whole(value: object) -> int:
    if value is None:
        raise wrong(NULL)
    fault = wrong("A valid integer is required.")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise fault
    if isinstance(value, str) and len(value) > LONGEST_NUMBER:
        raise wrong("String value too large.")
    try:
        number = int(value)
    except (ValueError, OverflowError) as error:
        raise fault from error
    if number != value and isinstance(value, float):
        raise fault
    if abs(number) > LARGEST_WHOLE:
        raise wrong("The number is too large.")
    return number


def _moment(value: object) -> datetime:
    if value is None:
        raise wrong(NULL)
    fault = wrong("Datetime has wrong format. Use YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].")
    if not isinstance(value, str) or not value.isascii() or len(value) > LONGEST_NUMBER:
        raise fault
    try:
        moment = datetime.fromisoformat(value.strip())
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise fault from error
    # At the ends of the calendar no time can be reckoned with.
    if not 1900 <= moment.year < 2200:
        raise wrong("The time must be between the years 1900 and 2200.")
    return moment


def _object(value: object) -> dict[str, Any]:
    if value is None:
        raise wrong(NULL)
    if not isinstance(value, dict):
        raise wrong(f'Expected a dictionary of items but got type "{type(value).__name__}".')
    refuse_unstorable(value)
    return value


def _optional(check: Callable[[object], Any]) -> Callable[[object], Any]:
    return lambda value: None if value is None else check(value)


def refuse_unstorable(value: object) -> None:
    """Raise if the JSON value holds a text or a number that the database cannot keep."""
    if isinstance(value, str):
        _text(value)
    elif isinstance(value, float) and not isfinite(value):
        raise wrong("The number is too large.")
    elif isinstance(value, list):
        for each in value:
            refuse_unstorable(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            refuse_unstorable(key)
            refuse_unstorable(each)


Text = Annotated[str, BeforeValidator(_text)]
FilledText = Annotated[str, BeforeValidator(_filled_text)]
Whole = Annotated[int, BeforeValidator(_whole)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
Object = Annotated[dict[str, Any], BeforeValidator(_object)]
OptionalText = Annotated[str | None, BeforeValidator(_optional(_text))]
OptionalMoment = Annotated[datetime | None, BeforeValidator(_optional(_moment))]
OptionalObject = Annotated[dict[str, Any] | None, BeforeValidator(_optional(_object))]

Model = TypeVar("Model", bound=Body)


def check(model: type[Model], value: object) -> Model:
    """The body as its model, or :class:`BodyRefused` with an error for each wrong field."""
    if not isinstance(value, dict):
        kind = type(value).__name__
        raise BodyRefused({"non_field_errors": [f"Invalid data. Expected a dictionary, but got {kind}."]})
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise BodyRefused(errors_of(error)) from error


def errors_of(error: ValidationError) -> dict[str, Any]:
    """The errors by field; inside a list by position, from 0, as text."""
    told: dict[str, Any] = {}
    for each in error.errors(include_url=False, include_context=False, include_input=False):
        *path, last = [str(step) for step in each["loc"]] or ["non_field_errors"]
        place = told
        for step in path:
            inner = place.setdefault(step, {})
            # A list as a whole is wrong already: what is wrong within adds nothing.
            if not isinstance(inner, dict):
                break
            place = inner
        else:
            messages = place.setdefault(last, [])
            if isinstance(messages, list):
                messages.append(_worded(each))
    return told


def _worded(error: Any) -> str:
    match error["type"]:
        case "missing":
            return REQUIRED
        case "wrong":
            return str(error["msg"])
        case "list_type":
            return "Expected a list of items."
        case "model_type" | "model_attributes_type" | "dict_type":
            return "Invalid data. Expected a dictionary."
    return str(error["msg"])
