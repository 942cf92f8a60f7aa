"""The bodies of the Level 4 addresses (spec: airlock 3.2, 3.3)."""

from pydantic import Field

from jobserver.forms.api.base import Body, FilledText


class Authentication(Body):
    """Somebody, by username or email address, and their token."""

    user: FilledText
    # Not in what is printed of it: that may end in an error report.
    token: FilledText = Field(repr=False)


class Authorisation(Body):
    """Somebody, by username."""

    user: FilledText
