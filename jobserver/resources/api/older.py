"""``/api/v2/jobs/`` and others that older programs know (spec: rap 10)."""

from jobserver.models import TokenScope
from jobserver.resources.api.base import Endpoint
from jobserver.resources.base import Resource
from jobserver.resources.proofs import Proof


class JobsEndpoint(Endpoint):
    """``jobs/``: what became of jobs, told by an older controller."""

    proof = Proof.BACKEND
    ends_in_slash = True


class JobRequestsEndpoint(Endpoint):
    """``job-requests/``: what is to be run, for an older controller."""

    proof = Proof.BACKEND_OR_READER
    scopes = frozenset({TokenScope.JOB_REQUESTS})
    ends_in_slash = True


class UsersSection(Resource):
    """``users/<username>/``."""

    def __getitem__(self, name: str) -> "UserEndpoint":
        return UserEndpoint(self.request, name, self)


class UserEndpoint(Endpoint):
    """``users/<username>/``: somebody's roles and what they allow."""

    proof = Proof.BACKEND
    ends_in_slash = True
