"""People: their public pages, and what each looks after for themselves."""

from pyramid.request import Request

from jobserver.queries.people import user_by_username
from jobserver.resources.base import Resource


class Users(Resource):
    """``/users/``: everybody who has run something here."""

    def __getitem__(self, name: str) -> "UserResource":
        return UserResource(self.request, name, self)


class UserResource(Resource):
    """``/users/<username>/``: a person; KeyError if there is none of that name."""

    def __init__(self, request: Request, name: str, parent: Resource) -> None:
        super().__init__(request, name, parent)
        found = user_by_username(request.db, name)
        if found is None:
            raise KeyError(name)
        # Not called "identity": the page's subject never stands in for its reader.
        self.user = found


class SettingsResource(Resource):
    """``/settings/``: what somebody who is signed in looks after for themselves."""
