"""Which pages are measured, as whom, and what each may cost."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote, urlencode

from tests.benchmarks.sights import Sights

ANYBODY, RESEARCHER, STAFF, CHECKER = "", "researcher", "staff", "checker"
PUBLISHER = "publisher"
USUAL_MS, LARGEST_MS, UNCHANGED_MS = 30.0, 200.0, 5.0
# What lists of releases and outputs may take, whatever they are narrowed by.
LISTS_MS = 50.0
# What the staff area's pages may take over many people, projects and events.
STAFF_MS = 50.0
AUDIT_MS = 100.0
COPILOTING_MS = 100.0
STATEMENTS, RATIO, GROWTH = 12, 12.0, 1.2


@dataclass(frozen=True)
class Page:
    """One page. ``unchanged``: asked for as by a browser that has it already; ``leads_on``: a redirect."""

    name: str
    path: str
    who: str = ANYBODY
    most_ms: float = USUAL_MS
    unchanged: bool = False
    leads_on: bool = False

    @property
    def expected(self) -> int:
        """The status of its answer."""
        return 304 if self.unchanged else 302 if self.leads_on else 200

    @property
    def ratio_counts(self) -> bool:
        """Whether it is held against the empty page: the largest request has a limit of its own."""
        return self.most_ms == USUAL_MS


# The frame around a few fixed sentences, for somebody who is signed in: the whole stack with nothing to do.
EMPTY = Page("empty", "/accessibility/", RESEARCHER)


def pages(seen: Sights) -> list[Page]:
    """All of them, for one database: the same names for every other."""
    return [
        *_site(seen),
        *_logs(seen),
        *_filters(seen),
        *_work(seen),
        *_came_out(seen),
        *_own(seen),
        *_staff(seen),
        *_unchanged(seen),
    ]


def _site(seen: Sights) -> Iterator[Page]:
    for who in (ANYBODY, RESEARCHER, STAFF):
        yield Page(f"home, {who or 'anonymous'}", "/", who)
    yield Page("status", "/status/")
    yield Page("sign in", "/login/")
    yield Page("accessibility, anonymous", "/accessibility/")
    yield Page("JSON API", "/api/v2/docs/")
    yield Page("getting started", "/getting-started/", RESEARCHER)
    yield Page("organisations", "/organisations/")
    yield Page("organisations, last page", "/organisations/?page=last")
    yield Page("people", "/users/")
    yield Page("people, last page", "/users/?page=last")
    yield Page("person", f"/users/{seen.username}/")
    yield Page("repository, quoted", f"/repo/{quote(quote(seen.repo, safe=''), safe='')}/", leads_on=True)
    repo = seen.repo.removeprefix("https://github.com/")
    yield Page("repository", f"/repo/{repo}/")
    # GitHub refuses to be asked: what the page itself takes.
    yield Page("repository, sign-off", f"/repo/{repo}/sign-off/", RESEARCHER)
    for query in ("stroke", seen.username, seen.identifier[:8], seen.sha[:8], "a"):
        name = {seen.username: "a person", seen.identifier[:8]: "an identifier", seen.sha[:8]: "a commit"}
        yield Page(f"search, {name.get(query, query)}", f"/search/?{urlencode({'q': query})}", RESEARCHER)


def _logs(seen: Sights) -> Iterator[Page]:
    logs = {
        "event log": "/event-log/",
        "log of organisation": f"{seen.org}logs/",
        "log of project": f"{seen.project}logs/",
        "log of workspace": f"{seen.workspace}logs/",
        "log of person": f"/users/{seen.username}/logs/",
    }
    for name, path in logs.items():
        yield Page(name, path, RESEARCHER)
        yield Page(f"{name}, last page", f"{path}?page=last", RESEARCHER)
        yield Page(f"{name}, failed", f"{path}?status=failed", RESEARCHER)
        yield Page(f"{name}, an action", f"{path}?action={seen.action}", RESEARCHER)
    yield Page("event log, anonymous", "/event-log/")
    yield Page("event log, middle page", f"/event-log/?page={seen.requests // 50}", RESEARCHER)


def _filters(seen: Sights) -> Iterator[Page]:
    day = {"from": f"{seen.middle:%Y-%m-%d}", "to": f"{seen.middle + timedelta(days=30):%Y-%m-%d}"}
    filters: dict[str, dict[str, str]] = {
        f"status {status.replace('_', ' ')}": {"status": status}
        for status in ("pending", "running", "succeeded", "cancelled", "nothing_to_do", "unknown")
    }
    filters |= {
        "backend": {"backend": seen.backend},
        "person": {"user": seen.username},
        "project": {"project": seen.project_slug},
        "part of an action": {"action": "model_stroke"},
        "action nobody ran": {"action": "zzzzzz"},
        "identifier": {"identifier": seen.identifier},
        "part of an identifier": {"identifier": seen.identifier[:4]},
        "dates": day,
        "from": {"from": day["from"]},
        "to": {"to": day["to"]},
        "words": {"q": "stroke"},
        "one letter": {"q": "e"},
        "words, last page": {"q": "stroke", "page": "last"},
        "words that nothing has": {"q": "zzzzzz"},
        "cancelled, last page": {"status": "cancelled", "page": "last"},
        "succeeded, deep": {"status": "succeeded", "page": f"{seen.requests // 80}"},
        "backend, last page": {"backend": seen.backend, "page": "last"},
        "person and status": {"user": seen.username, "status": "failed"},
        "project and action": {"project": seen.project_slug, "action": seen.action},
        "everything": {
            "user": seen.username,
            "status": "succeeded",
            "backend": seen.backend,
            "project": seen.project_slug,
            "action": seen.action,
            "from": "2016-01-01",
        },
    }
    for name, query in filters.items():
        yield Page(f"event log: {name}", f"/event-log/?{urlencode(query)}", RESEARCHER)


def _work(seen: Sights) -> Iterator[Page]:
    yield Page("organisation", seen.org, RESEARCHER)
    yield Page("project", seen.project, RESEARCHER)
    yield Page("project, edit", f"{seen.project}edit/", RESEARCHER)
    yield Page("workspace of a third of the jobs", seen.workspace, RESEARCHER)
    yield Page("workspace, anonymous", seen.workspace)
    yield Page("workspace, active", seen.recent_workspace, RESEARCHER)
    yield Page("workspace, edit", f"{seen.workspace}edit/", RESEARCHER)
    yield Page("request", seen.usual, RESEARCHER)
    yield Page("request, anonymous", seen.usual)
    yield Page("request, running", seen.running, RESEARCHER)
    yield Page("request, largest", seen.largest, RESEARCHER, LARGEST_MS)
    yield Page("request, largest, last page", f"{seen.largest}?page=last", RESEARCHER, LARGEST_MS)
    yield Page("request, largest, failed", f"{seen.largest}?state=failed", RESEARCHER, LARGEST_MS)
    yield Page("request, largest, anonymous", seen.largest, ANYBODY, LARGEST_MS)
    yield Page("comparison", f"{seen.usual}compare/?with={seen.before_usual}", RESEARCHER)
    yield Page(
        "comparison, largest", f"{seen.largest}compare/?with={seen.before_usual}", RESEARCHER, LARGEST_MS
    )
    yield Page("job", seen.job, RESEARCHER)
    yield Page("job, failed", seen.failed_job, RESEARCHER)
    yield Page("job, anonymous", seen.failed_job)
    yield Page("job, history", f"{seen.job}history/", RESEARCHER)


def _came_out(seen: Sights) -> Iterator[Page]:
    yield Page("releases of workspace", f"{seen.workspace}releases/", CHECKER)
    yield Page("releases of workspace, anonymous", f"{seen.workspace}releases/")
    yield Page("releases of project", f"{seen.project}releases/", CHECKER)
    for name, query in {
        "last page": "page=last",
        "a part of a name": "q=table_9",
        "a name that nothing has": "q=zzzzzz",
        "all uploaded": "state=arrived",
        "waiting or redacted": "state=waiting&state=redacted",
        "a backend and some days": f"backend={seen.backend}&from=2020-01-01&to=2030-01-01",
    }.items():
        yield Page(f"releases of project: {name}", f"{seen.project}releases/?{query}", CHECKER, LISTS_MS)
    yield Page(
        "releases of workspace: a part of a name", f"{seen.workspace}releases/?q=table_9", CHECKER, LISTS_MS
    )
    yield Page("releases: names of the largest", f"{seen.largest_release}?names=1", CHECKER, LISTS_MS)
    yield Page("published outputs of project", f"{seen.project}outputs/", CHECKER, LISTS_MS)
    yield Page("published outputs of project, anonymous", f"{seen.project}outputs/", most_ms=LISTS_MS)
    yield Page(
        "published outputs of project: words",
        f"{seen.project}outputs/?q=a&state=published",
        CHECKER,
        LISTS_MS,
    )
    yield Page("feed of workspace", f"{seen.workspace}feed.atom", most_ms=LISTS_MS)
    yield Page("release", seen.release, CHECKER)
    yield Page("release, largest", seen.largest_release, CHECKER, LARGEST_MS)
    yield Page("release, largest, a file", seen.released_file, CHECKER, LARGEST_MS)
    yield Page("release, largest, a search", f"{seen.largest_release}?find=table_9", CHECKER, LARGEST_MS)
    yield Page(
        "release, largest, a search as one types",
        f"{seen.largest_release}?find=table_9&part=tree",
        CHECKER,
        LARGEST_MS,
    )
    yield Page("latest outputs, largest", f"{seen.workspace}outputs/latest/", CHECKER, LARGEST_MS)
    yield Page("latest outputs, largest, a file", seen.latest_file, CHECKER, LARGEST_MS)
    yield Page("published outputs", f"{seen.workspace}outputs/")
    yield Page("published set", seen.snapshot, ANYBODY, LARGEST_MS)
    yield Page("published set, a file", seen.published_file, ANYBODY, LARGEST_MS)
    yield from _published(seen)
    yield Page("workspace, checker", seen.workspace, CHECKER)
    yield Page("home, checker", "/", CHECKER)
    yield Page("release requests", "/release-requests/", CHECKER)
    yield Page("release requests, last page", "/release-requests/?page=last", CHECKER)
    yield Page("release requests, whose turn", "/release-requests/?turn=checkers", CHECKER)
    yield Page("release requests, researcher", "/release-requests/", RESEARCHER)
    yield Page("release requests of workspace", f"{seen.workspace}release-requests/", CHECKER)
    yield Page("release request", seen.release_request, CHECKER)


def _published(seen: Sights) -> Iterator[Page]:
    prepare = f"{seen.workspace}outputs/latest/prepare/"
    yield Page("prepare a publication, largest", prepare, RESEARCHER, LARGEST_MS)
    yield Page("prepare a publication, a search", f"{prepare}?find=table_9", RESEARCHER, LARGEST_MS)
    for name, query in {
        "": "",
        ", last page": "?page=last",
        ", waiting": "?state=pending",
        ", words": "?q=a&sort=newest",
        ", words that nothing has": "?q=zzzzzz",
    }.items():
        yield Page(f"publish requests{name}", f"/publish-requests/{query}", PUBLISHER, LISTS_MS)
    yield Page("published set, publisher", seen.snapshot, PUBLISHER, LARGEST_MS)
    yield Page("unpublish", f"{seen.snapshot}unpublish/", PUBLISHER)
    yield Page("approve", f"{seen.waiting_draft}approve/", PUBLISHER, LISTS_MS)


def _own(seen: Sights) -> Iterator[Page]:
    yield Page("your projects", "/projects/", RESEARCHER)
    yield Page("your workspaces", "/workspaces/", RESEARCHER)
    yield Page("your organisations", "/orgs/", RESEARCHER)
    for tab in ("", "notifications/", "access/", "level-4/", "tokens/", "sessions/", "display/"):
        yield Page(f"settings{', ' + tab.strip('/') if tab else ''}", f"/settings/{tab}", RESEARCHER)


def _filters_of(seen: Sights) -> dict[str, str]:
    return {
        "backends": seen.backend,
        "user": seen.username,
        "project": seen.project_slug,
        "status": "succeeded",
    }


def _staff(seen: Sights) -> Iterator[Page]:
    project = f"/staff/projects/{seen.project_slug}/"
    addresses = {
        "overview": "/staff/",
        "search, a letter": "/staff/?q=a",
        "search, a person": f"/staff/?{urlencode({'q': seen.username})}",
        "search, nothing": "/staff/?q=zzzzzz",
        "people": "/staff/users/",
        "people, last page": "/staff/users/?page=last",
        "people, a word": "/staff/users/?q=ann",
        "people without an organisation": "/staff/users/?missing=org&kind=github",
        "people without a role": "/staff/users/?any_roles=no&sort=last-seen",
        "person": f"/staff/users/{seen.username}/",
        "person, account": f"/staff/users/{seen.username}/account/",
        "person, roles": f"/staff/users/{seen.username}/roles/",
        "person, organisations": f"/staff/users/{seen.username}/set-orgs/",
        "projects": "/staff/projects/",
        "projects, last page": "/staff/projects/?page=last",
        "projects, words": "/staff/projects/?q=stroke",
        "projects, without a co-pilot": "/staff/projects/?copilot=none&status=ongoing",
        "project": project,
        "project, edit": f"{project}edit/",
        "job requests": "/staff/job-requests/",
        "job requests, last page": "/staff/job-requests/?page=last",
        "job requests, an identifier": f"/staff/job-requests/?{urlencode({'q': seen.identifier[:8]})}",
        "job requests, a person": f"/staff/job-requests/?{urlencode({'q': seen.username})}",
        "job requests, a word": "/staff/job-requests/?q=stroke",
        "job requests, a beginning of ids": "/staff/job-requests/?q=12",
        "job requests, all filters": f"/staff/job-requests/?{urlencode(_filters_of(seen))}",
        "job request": f"/staff/job-requests/{seen.usual.split('/')[-2]}/",
        "job request, cancel": f"/staff/job-requests/{seen.usual.split('/')[-2]}/cancel/",
        "backends": "/staff/backends/",
        "backend": "/staff/backends/1/",
        "organisations": "/staff/orgs/",
        "organisation": f"/staff{seen.org.replace('/', '/orgs/', 1)}",
        "organisation, edit": f"/staff{seen.org.replace('/', '/orgs/', 1)}edit/",
        "workspaces": "/staff/workspaces/",
        "workspaces, last page": "/staff/workspaces/?page=last",
        "workspaces, a word": "/staff/workspaces/?q=stroke",
        "workspaces, files not come": "/staff/workspaces/?files=late",
        "workspace": f"/staff/workspaces/{seen.workspace.split('/')[-2]}/",
        "redirects": "/staff/redirects/",
        "redirects, a word": "/staff/redirects/?q=a&state=live",
        "site alerts": "/staff/site-alerts/",
        "applications": "/staff/applications/",
        "applications, submitted": "/staff/applications/?status=submitted&linked=no",
    }
    for name, path in {**addresses, **_dashboards_of(seen)}.items():
        yield Page(f"staff: {name}", path, STAFF, STAFF_MS)
    for query in ("", "?page=last", "?sort=number", "?q=a"):
        path = f"/staff/dashboards/copiloting/{query}"
        yield Page(f"staff: dashboard of co-pilots {query}".strip(), path, STAFF, COPILOTING_MS)
    for name, path in _audit_of(seen, project).items():
        yield Page(f"staff: {name}", path, STAFF, AUDIT_MS)


def _dashboards_of(seen: Sights) -> dict[str, str]:
    repo = "/".join(seen.repo.split("/")[3:5])
    return {
        "deliveries": "/staff/tasks/",
        "deliveries, failed": "/staff/tasks/?state=failed&asked=week",
        "repositories": "/staff/repos/",
        "repositories, last page": "/staff/repos/?page=last",
        "repositories, filters": "/staff/repos/?has_outputs=no&privacy=private&q=study",
        "repository": f"/staff/repos/{repo}/",
        "dashboards": "/staff/dashboards/",
        "dashboard of projects": "/staff/dashboards/project/",
        "dashboard of projects, last page": "/staff/dashboards/project/?page=last",
        "dashboard of private repositories": "/staff/dashboards/repos/",
        "dashboard of shared repositories": "/staff/dashboards/repos-with-multiple-projects/",
    }


def _audit_of(seen: Sights, project: str) -> dict[str, str]:
    return {
        "audit log": "/staff/audit/",
        "audit log, last page": "/staff/audit/?page=last",
        "audit log, a person": f"/staff/audit/?{urlencode({'person': seen.username})}",
        "audit log, a kind": "/staff/audit/?types=project_member_added",
        "audit log, some days": "/staff/audit/?from=2026-01-01&to=2026-01-31&source=browser",
        "audit log, words": "/staff/audit/?q=stroke",
        "person, audit log": f"/staff/users/{seen.username}/audit-log/",
        "project, audit log": f"{project}audit-log/",
        "who may do what": f"/staff/access/?at=/staff/projects/{seen.project_slug}/",
        "what a person may do": f"/staff/access/?user={seen.username}&at={seen.project}",
    }


def _unchanged(seen: Sights) -> Iterator[Page]:
    live = {
        "home": "/?live=1",
        "status": "/status/?live=1",
        "workspace": f"{seen.recent_workspace}?live=1",
        "request": f"{seen.running}now/?heard=",
        "largest request": f"{seen.largest}now/?heard=",
        "job": f"{seen.job}now/",
    }
    for name, path in live.items():
        yield Page(f"unchanged: {name}", path, RESEARCHER, UNCHANGED_MS, unchanged=True)
