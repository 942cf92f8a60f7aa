"""The description of the JSON API is valid, whole, served, and shown."""

from typing import Any

import jsonschema_rs
import pytest
from schemathesis.specs.openapi.definitions import OPENAPI_31

from jobserver import openapi
from jobserver.openapi import reading
from jobserver.openapi.words import words
from jobserver.resources import api
from jobserver.security.permissions import permission_named
from tests.web.api import conforming
from tests.web.conftest import Browser
from tests.web.test_promises import our_views

# Where each resource of the API is. A new one has to be named here, and described.
ADDRESSES = {
    api.Level4Authentication: "/releases/authenticate",
    api.Level4Authorisation: "/releases/authorise",
    api.WorkspaceReleases: "/releases/workspace/{workspace}",
    api.ReleaseEndpoint: "/releases/release/{release}",
    api.FileEndpoint: "/releases/file/{file}",
    api.ReleaseReviews: "/releases/release/{release}/reviews",
    api.Snapshots: "/workspaces/{workspace}/snapshots",
    api.SnapshotEndpoint: "/workspaces/{workspace}/snapshots/{number}",
    api.SnapshotPublication: "/workspaces/{workspace}/snapshots/{number}/publish",
    api.WorkspaceStatus: "/workspaces/{workspace}/status",
    api.WorkspaceStatuses: "/workspaces/{workspace}/statuses/",
    api.AirlockEvents: "/airlock/events/",
    api.JobsEndpoint: "/jobs/",
    api.JobRequestsEndpoint: "/job-requests/",
    api.UserEndpoint: "/users/{username}/",
    api.Documentation: "/docs/",
}
COMMON = {"400", "406", "500", "503"}
# Views that look at the body before they ask for the permission (spec: airlock 6.1).
ASKED_WITHIN = {("post", "/workspaces/{workspace}/snapshots")}


def api_views(app: Any) -> dict[tuple[str, str], dict[str, Any]]:
    """Every view of the API by method and address."""
    found = {}
    for view in our_views(app):
        methods = view["request_methods"] or ()
        if view["context"].__module__.startswith(api.__name__) and methods != "OPTIONS":
            for method in [methods] if isinstance(methods, str) else methods:
                found[method.lower(), ADDRESSES[view["context"]] + view["name"]] = view
    return found


def test_the_document_is_valid_openapi() -> None:
    errors = jsonschema_rs.validator_for(OPENAPI_31).iter_errors(openapi.document())
    assert [f"{error.instance_path}: {error.message}" for error in errors] == []


def test_every_view_is_described_and_every_description_has_a_view(app: Any) -> None:
    described = {(method, path) for method, path, _ in reading.operations()}
    assert set(api_views(app)) == described


def test_each_operation_names_the_permission_of_its_view(app: Any) -> None:
    permissions = {
        entry["introspectable"]["callable"]: [
            related["value"] for related in entry["related"] if related.category_name == "permissions"
        ]
        for entry in app.registry.introspector.get_category("views")
    }
    views = api_views(app)
    for method, path, operation in reading.operations():
        named = permission_named(operation["x-permission"])
        assert named is not None
        if (method, path) not in ASKED_WITHIN:
            assert permissions[views[method, path]["callable"]] == [named], (method, path)


def test_every_reference_leads_somewhere_and_every_scheme_is_known() -> None:
    schemes = set(openapi.document()["components"]["securitySchemes"])
    used = {name for _, _, operation in reading.operations() for way in operation["security"] for name in way}
    assert used == schemes
    for place, schema, _ in conforming.examples():
        conforming.errors_of(schema, None)
        assert place


def test_every_example_is_what_its_schema_says() -> None:
    found = list(conforming.examples())
    assert len(found) > 40
    wrong = {place: conforming.errors_of(schema, value) for place, schema, value in found}
    assert {place: errors for place, errors in wrong.items() if errors} == {}


def test_every_operation_has_a_name_of_its_own_and_says_what_programmers_ask() -> None:
    operations = [operation for _, _, operation in reading.operations()]
    assert len({each["operationId"] for each in operations}) == len(operations)
    for each in operations:
        for key in ("summary", "description", "x-callers", "x-repeat", "tags", "responses"):
            assert each[key], (each["operationId"], key)


def test_the_document_is_served_to_everybody_and_kept_by_clients(web: Browser) -> None:
    answer = web.get("/api/v2/docs/openapi.json")
    assert answer.json == openapi.document()
    assert answer.content_type == "application/json"
    assert answer.headers["Cache-Control"] == "max-age=3600, public"
    again = {"If-None-Match": answer.headers["ETag"]}
    assert web.get("/api/v2/docs/openapi.json", headers=again, status=304).body == b""


def test_the_page_tells_of_every_operation(web: Browser, count_statements: Any) -> None:
    with count_statements() as sent:
        page = web.get("/api/v2/docs/")
    assert sent == []
    main = page.html.main
    for method, path, operation in reading.operations():
        panel = main.find("article", attrs={"aria-labelledby": operation["operationId"]})
        text = " ".join(panel.text.split())
        assert f"{method.upper()} {path}" in text
        assert operation["x-permission"] in text
        assert panel.find("h3", id=operation["operationId"])
        assert {each.text for each in panel.select("dl.answers dt")} | COMMON == {
            *operation["responses"],
            *COMMON,
        }
        body = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if body:
            names = reading.resolved(body["schema"]).get("required", ())
            assert {*names} <= {each.text for each in panel.select("th code")}
    assert "curl 'http://localhost/api/v2/workspaces/study-a/snapshots/7'" in main.text
    targets = {each["id"] for each in page.html.find_all(id=True)}
    assert {link["href"][1:] for link in main.select('a[href^="#"]')} <= targets


def test_the_page_is_linked_from_the_foot_of_every_page(web: Browser) -> None:
    assert web.get("/").html.footer.find("a", href="/api/v2/docs/")


def test_another_method_is_refused_in_json(web: Browser) -> None:
    for address in ("/api/v2/docs/", "/api/v2/docs/openapi.json"):
        answer = web.post(address, status=405)
        assert answer.json == {"detail": 'Method "POST" not allowed.'}
        assert "GET" in answer.headers["Allow"]


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("One `<code>` line\nthat runs on.", "One <code>&lt;code&gt;</code> line that runs on."),
        ("First.\n\nSecond **now**.", "<p>First.</p><p>Second <b>now</b>.</p>"),
        ("- one\n- two\n  and more", '<ul class="bullets"><li>one</li><li>two and more</li></ul>'),
        ("", ""),
    ],
)
def test_sentences_become_html(text: str, html: str) -> None:
    assert words(text) == html


OURS = {"Content-Type": "application/json", "Cache-Control": "no-store"}


@pytest.mark.parametrize(
    ("status", "headers", "body", "complaint"),
    [
        (200, OURS, b'{"uses_new_release_flow":true}', ""),
        (200, {"Content-Type": "application/json"}, b'{"uses_new_release_flow":true}', "it may be kept"),
        (200, OURS, b'{"uses_new_release_flow":1}', "is not of type"),
        (200, OURS, b"{}", "required"),
        (200, OURS, b"[", "not JSON"),
        (200, {"Content-Type": "text/html"}, b"<p>", "the type text/html is not described"),
        (418, OURS, b"{}", "the status is not described"),
        (404, OURS, b'{"message":"no"}', "detail"),
    ],
)
def test_an_answer_that_is_not_described_is_noticed(
    status: int, headers: dict[str, str], body: bytes, complaint: str
) -> None:
    """All web tests rely on it: every answer below /api/v2/ is held against the description."""
    found = conforming.complaints("GET", "/api/v2/workspaces/study-a/status", status, headers, body)
    assert complaint in "".join(found)
    assert bool(found) == bool(complaint)


def test_a_missing_header_is_noticed() -> None:
    answer = ("POST", "/api/v2/releases/release/01M84YW5GNHCWC70E74K0PWK9X", 201)
    wrong = {"File-Id": "not an id"}
    found = "".join(conforming.complaints(*answer, wrong, b""))
    assert "the header Location is missing" in found
    assert "File-Id:" in found
    right = {"File-Id": "01M84YW5GNHCWC70E74K0PWK9X", "Location": "http://localhost/api/v2/releases/file/x"}
    assert conforming.complaints(*answer, right, b"") == []
    assert "should be empty" in "".join(conforming.complaints(*answer, right, b"x"))
