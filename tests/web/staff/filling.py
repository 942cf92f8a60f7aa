"""Sending a form of a page as a browser would, with changes."""

from typing import Any


def filled(page: Any, action: str, **changes: Any) -> list[tuple[str, str]]:
    """The fields of the form that goes to this address, without the token against forged requests.

    A change is a text, a list for boxes of one name, or None for a field that is not sent. A ``_`` in a name
    stands for a ``-`` too.
    """
    form = page.html.find("form", {"action": action, "method": "post"})
    assert form is not None, f"no form goes to {action}"
    sent: list[tuple[str, str]] = []
    for each in form.find_all(["input", "textarea"]):
        if each["name"] == "csrfmiddlewaretoken":
            continue
        if each.get("type") == "checkbox" and not each.has_attr("checked"):
            continue
        sent.append((each["name"], each.get("value", each.text.strip())))
    for name, value in changes.items():
        sent = [(key, old) for key, old in sent if key.replace("-", "_") != name]
        values = value if isinstance(value, list) else [] if value is None else [value]
        key = name if not name.startswith("ends_") else name.replace("_", "-", 1)
        sent += [(key, each) for each in values]
    return sent


def errors(page: Any) -> list[str]:
    """What the page says is wrong, in its summary."""
    return [each.get_text(" ", strip=True) for each in page.html.select(".error-summary li")]
