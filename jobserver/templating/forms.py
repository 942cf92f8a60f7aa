"""What ties a control to its hint and its errors."""

from typing import Any

from wtforms import Field


def control_attributes(
    field: Field, hint: str | None, also: str = "", *, group: bool = False, **more: str | None
) -> dict[str, Any]:
    """ARIA attributes of a control (or of the fieldset of a `group`), and those of `more` that are set.

    `also` is a further id that describes the control, such as that of its counter.
    """
    described = [f"{field.id}-hint"] if hint else []
    described += [f"{field.id}-error"] if field.errors else []
    described += [also] if also else []
    attributes: dict[str, Any] = {key: value for key, value in more.items() if value is not None}
    if described:
        attributes["aria-describedby"] = " ".join(described)
    if field.errors and not group:
        attributes["aria-invalid"] = "true"
    return attributes
