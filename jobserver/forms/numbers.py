"""Numbers that are typed."""

from typing import Any

from wtforms import IntegerField
from wtforms.validators import StopValidation


class WholeNumber(IntegerField):
    """A whole number; what is none is said in plain words, once."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take the digits."""
        try:
            super().process_formdata([each.strip() for each in valuelist if each.strip()])
        except ValueError:
            raise ValueError("Enter a whole number, in digits.") from None

    def pre_validate(self, _form: Any) -> None:
        """What is no number is not compared with anything."""
        if self.process_errors:
            raise StopValidation
