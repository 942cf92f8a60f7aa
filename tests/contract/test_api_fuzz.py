"""Every operation of the JSON API, asked with whatever its description allows and with what it does not."""

import copy
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import strategies as st
from schemathesis import GenerationMode
from sqlalchemy.orm import Session

from jobserver import make_app, openapi
from jobserver.clients.storage import ReleaseStorage
from jobserver.models import TokenScope, utcnow
from jobserver.security import level4, tokens
from jobserver.settings import Settings
from tests import factories as f
from tests.web.api import conforming

EXAMPLES = 8
# Schemathesis has the names of headers in small letters.
NAMES = {"etag": "ETag"}
QUIETLY = hypothesis.settings(
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


class World:
    """What the examples of the description name, and everybody who may call."""

    def __init__(self, db: Session, storage: ReleaseStorage, key: str) -> None:
        backend, token = f.backend_with_token(slug="tpp", name="TPP")
        researcher, checker = (f.UserFactory(username=name) for name in ("researcher-1", "checker-2"))
        for user in (researcher, checker):
            f.GithubIdentityFactory(user=user)
            f.BackendMembershipFactory(user=user, backend=backend)
        checker.roles = ["OutputChecker", "OutputPublisher"]
        read = [scope.value for scope in TokenScope]
        f.personal_token(checker, *read, digest=tokens.digest("secret"))
        researcher.login_token = level4.hashed("motor strum tingly", key)
        researcher.login_token_expires_at = utcnow().replace(year=2100)
        workspace = f.WorkspaceFactory(name="study-a")
        f.ProjectMembershipFactory(user=checker, project=workspace.project, roles=["ProjectDeveloper"])
        release = f.ReleaseFactory(workspace=workspace, backend=backend, created_by=checker)
        file = f.ReleaseFileFactory(
            id="01M84YW7C45THH07SF2TEQQJYQ", release=release, name="a.csv", content=b"a", storage=storage
        )
        f.ReleaseFileFactory(release=release, name="output/summary.csv", content=b"group,count\na,10\n")
        snapshot = f.SnapshotFactory(workspace=workspace, files=[file])
        f.PublishRequestFactory(snapshot=snapshot)
        f.JobFactory(job_request=f.JobRequestFactory(workspace=workspace, backend=backend))
        db.commit()
        self.names = {
            "workspace": workspace.name,
            "release": release.id,
            "file": file.id,
            "number": snapshot.id,
            "username": checker.username,
        }
        self.cookies = {**f.session_cookie(checker), "csrftoken": "genuine"}
        self.credentials = {
            "backendToken": {"Authorization": token},
            "osUser": {"OS-User": checker.username},
            "personalToken": {"Authorization": f"{checker.username}:secret"},
            "csrfToken": {"X-CSRFToken": "genuine"},
        }

    def prove(self, way: list[str]) -> dict[str, dict[str, str]]:
        """The headers and cookies of this way to prove who calls."""
        headers = [self.credentials[scheme] for scheme in way if scheme != "session"]
        return {
            "headers": {name: value for each in headers for name, value in each.items()},
            "cookies": self.cookies if "session" in way else {},
        }


def operations(app: Any) -> Iterator[tuple[Any, list[list[str]]]]:
    """Each operation as schemathesis knows it, and the ways to prove who calls it; none is among them."""
    document = copy.deepcopy(openapi.document())
    ways = {}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                ways[method.upper(), path] = [[], *(list(way) for way in operation.pop("security") if way)]
    # Credentials are ours to give.
    del document["components"]["securitySchemes"]
    schema = schemathesis.openapi.from_dict(document)
    schema.app = app
    for each in schema.get_all_operations():
        operation = each.ok()
        yield operation, ways[operation.method.upper(), operation.path]


def test_no_request_gets_an_answer_that_is_not_described(
    app: Any, db: Session, storage: ReleaseStorage, settings: Settings
) -> None:
    world = World(db, storage, settings.secret_key)
    welcome, statuses = set(), set()
    for operation, ways in operations(app):
        seen: set[int] = set()
        for examples in operation.get_strategies_from_examples():
            fuzz(operation, st.tuples(examples, st.just(ways[-1]), st.just(True)), world, seen, 1)
        proofs, is_known = st.sampled_from([ways[-1], *ways]), st.sampled_from([True, True, False])
        for mode in GenerationMode:
            if mode is GenerationMode.POSITIVE or takes_anything(operation):
                cases = operation.as_strategy(generation_mode=mode)
                fuzz(operation, st.tuples(cases, proofs, is_known), world, seen, EXAMPLES)
        statuses |= seen
        welcome |= {operation.label for status in seen if status < 300}
    assert statuses >= {200, 201, 400, 403, 404}
    # Every one of them has been asked for what there is by somebody who may.
    assert {operation.label for operation, _ in operations(app)} - welcome == set()


def takes_anything(operation: Any) -> bool:
    """Whether something can be sent that the description does not allow."""
    return bool(operation.body or operation.path_parameters or operation.query or operation.headers)


def fuzz(operation: Any, requests: st.SearchStrategy[Any], world: World, seen: set[int], times: int) -> None:
    """Send so many requests: a case, the way to prove who calls, and whether the address is of what there is."""

    @hypothesis.settings(QUIETLY, max_examples=times)
    @given(requests)
    def run(request: tuple[Any, list[str], bool]) -> None:
        case, way, is_known = request
        if is_known:
            for name in case.path_parameters or {}:
                case.path_parameters[name] = world.names[name]
        answer = case.call(**world.prove(way))
        path = unquote(answer.request.path_url.partition("?")[0])
        headers = {NAMES.get(name, name.title()): values[-1] for name, values in answer.headers.items()}
        method, status = operation.method.upper(), answer.status_code
        assert status < 500, (case.as_curl_command(), answer.content)
        found = conforming.complaints(method, path, status, headers, answer.content)
        assert found == [], case.as_curl_command()
        seen.add(status)

    run()


@pytest.fixture(scope="module")
def app(settings: Settings, engine: Any) -> Any:
    """The application; no other system can be reached from it."""
    return make_app(settings, engine=engine)
