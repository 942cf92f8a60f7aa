"""Which organisations somebody belongs to, or which backends they may use, each perhaps until some day."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Protocol

from wtforms import HiddenField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]
from wtforms.form import BaseForm
from wtforms.validators import ValidationError
from wtforms.widgets import CheckboxInput

from jobserver.actions import affiliations
from jobserver.forms.staff.fields import reason_field
from jobserver.models import utcnow
from jobserver.templating.times import LONDON, day_of, end_of_day, last_day


class Offered(Protocol):
    """A place that can be ticked; ``since`` is set if the person is a member of it."""

    @property
    def id(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def since(self) -> datetime | None: ...
    @property
    def ends_at(self) -> datetime | None: ...
    @property
    def last_day(self) -> date | None: ...


class AffiliationsForm(BaseForm):
    """A box for each place, named ``name``, and a day for each: ``ends-<value>``.

    ``values`` are what the boxes send, by the id of the place.
    """

    def __init__(
        self,
        name: str,
        label: str,
        places: Sequence[Offered],
        values: Mapping[int, str],
        sent: Any = None,
    ) -> None:
        self.places, self.values, self.name = places, values, name
        self.held = {place.id: place.ends_at for place in places if place.since is not None}
        choices = [SelectChoice(values[place.id], place.name) for place in places]
        box = SelectMultipleField(
            label,
            choices=choices,
            option_widget=CheckboxInput(),
            validate_choice=False,
            validators=[self._check_choice],
        )
        days = {
            f"ends-{values[place.id]}": StringField(
                f"Last day at {place.name}", validators=[self._check_day(place)]
            )
            for place in places
        }
        super().__init__(
            {name: box, **days, "reason": reason_field(field_id=f"{name}-reason"), "version": HiddenField()}
        )
        data: dict[str, Any] = {name: [values[id_] for id_ in self.held]}
        for place in places:
            data[f"ends-{values[place.id]}"] = place.last_day.isoformat() if place.last_day else ""
        data["version"] = affiliations.version(self.held)
        self.process(sent, data=data)

    @property
    def wanted(self) -> dict[int, datetime | None]:
        """The places that were ticked, and when each membership is to end; once the form is valid."""
        found: dict[int, datetime | None] = {}
        for place in self.places:
            if self._is_ticked(place):
                day = day_of(self._typed(place))
                # What is not changed stays to the second.
                ends_at = end_of_day(day) if day else None
                found[place.id] = place.ends_at if day == place.last_day else ends_at
        return found

    def rows(self) -> list[tuple[Offered, Any, Any]]:
        """For each place: itself, its box, and its day."""
        field: Any = self[self.name]
        boxes = {box.data: box for box in field}
        return [
            (place, boxes[self.values[place.id]], self[f"ends-{self.values[place.id]}"])
            for place in self.places
        ]

    def differences(self, held: Mapping[int, datetime | None]) -> list[tuple[str, str, str]]:
        """The places of which what is kept and what was sent differ: name, as it is, as it was sent."""
        wanted = self.wanted
        rows = [(place.name, _in_words(held, place.id), _in_words(wanted, place.id)) for place in self.places]
        return [row for row in rows if row[1] != row[2]]

    def _is_ticked(self, place: Offered) -> bool:
        return self.values[place.id] in (self[self.name].data or ())

    def _typed(self, place: Offered) -> str:
        return (self[f"ends-{self.values[place.id]}"].data or "").strip()

    def _check_choice(self, _form: Any, field: Any) -> None:
        known = set(self.values.values())
        if set(field.data or ()) - known:
            field.data = [value for value in field.data if value in known]
            raise ValidationError("Choose among those listed here.")

    def _check_day(self, place: Offered) -> Any:
        def check(_form: Any, _field: Any) -> None:
            text = self._typed(place)
            if not text or not self._is_ticked(place):
                return
            day = day_of(text)
            if day is None:
                raise ValidationError("Enter a day as year-month-day, such as 2027-03-31.")
            if day != place.last_day and day < utcnow().astimezone(LONDON).date():
                raise ValidationError("Enter today or a later day. To end it now, untick the box.")

        return check


def _in_words(ends: Mapping[int, datetime | None], place_id: int) -> str:
    if place_id not in ends:
        return "No"
    end = ends[place_id]
    return f"Yes, until {last_day(end).isoformat()}" if end else "Yes"
