"""What is told of a set of outputs beside its files: a page worth citing, and what was decided about it.

Spec: pages 17, 30.12 no. 76, airlock 12.39. The public learns what is public; the rest is for those who may
see drafts, and for those who decide.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pyramid.request import Request

from jobserver.models import utcnow
from jobserver.queries import provenance, publish_requests
from jobserver.queries.provenance import Run
from jobserver.queries.publish_requests import Wish
from jobserver.queries.release_pages import Counts
from jobserver.queries.viewer import SetFile
from jobserver.resources.links import page_url, view_url
from jobserver.resources.outputs import SnapshotResource
from jobserver.security.permissions import Permission
from jobserver.tasks.links import link
from jobserver.templating.markdown import markdown
from jobserver.templating.numbers import count, filesize
from jobserver.views.on_github import OnGithub

SITE = "OpenSAFELY Job server"
LONGEST_DESCRIPTION = 200
# What all show that show links with a picture.
FIGURES = (".png", ".jpg", ".jpeg")


@dataclass(frozen=True)
class About:
    """A set of outputs as its page tells of it. ``address`` is absolute and stays as it is.

    ``picture`` is the absolute address of one of its files, empty without any; ``licence`` has a name and an
    address, both empty without one.
    """

    id: int
    title: str
    summary: str
    address: str
    counts: Counts
    prepared_by: str
    prepared_at: datetime
    published_by: str
    published_at: datetime | None
    org: str
    project: str
    runs: Sequence[Run]
    picture: str
    licence: tuple[str, str]

    @property
    def is_published(self) -> bool:
        """Whether it is public now."""
        return self.published_at is not None

    @property
    def people(self) -> list[str]:
        """Who prepared it and who ran the jobs behind it, each once."""
        return list(dict.fromkeys([self.prepared_by, *(run.by for run in self.runs)]))

    @property
    def citation(self) -> str:
        """How to cite it: people, year, title, site, address."""
        if self.published_at is None:
            return ""
        *others, last = self.people
        names = f"{', '.join(others)} and {last}" if others else last
        return f"{names} ({self.published_at.year}). {self.title}. {self.org}, {SITE}. {self.address}"

    @property
    def description(self) -> str:
        """A sentence or two without markup, for those who show links to the page."""
        text = markdown(self.summary).striptags() if self.summary else ""
        if len(text) > LONGEST_DESCRIPTION:
            text = text[:LONGEST_DESCRIPTION].rsplit(" ", 1)[0] + " …"
        files = count(self.counts.readable, "file")
        return text or f"{files[:1].upper()}{files[1:]} of {self.project}, {self.org}"

    @property
    def dataset(self) -> dict[str, Any]:
        """The same for search engines (schema.org, JSON-LD)."""
        told = {
            "@context": "https://schema.org",
            "@type": "Dataset",
            "name": self.title,
            "description": self.description,
            "url": self.address,
            "identifier": self.address,
            "datePublished": self.published_at.date().isoformat() if self.published_at else None,
            "creator": [{"@type": "Person", "name": name} for name in self.people],
            "publisher": {"@type": "Organization", "name": self.org},
            "size": filesize(self.counts.size),
            "isAccessibleForFree": True,
        }
        return {**told, "license": self.licence[1]} if self.licence[1] else told


def about_snapshot(
    request: Request, context: SnapshotResource, files: Iterable[SetFile], counts: Counts
) -> dict[str, Any]:
    """What the macros of ``outputs/parts.jinja2`` show, in two statements more than its files take.

    ``wishes`` is None for those to whom only what is public is told.
    """
    row, db = context.snapshot, request.db
    wishes = publish_requests.wishes(db, row.id)
    in_force = next((each for each in wishes if each.state == "approved"), None)
    inside = request.has_permission(Permission.RELEASE_FILE_VIEW) or request.has_permission(
        Permission.SNAPSHOT_PUBLISH
    )
    names = context.workspace.path
    settings = request.registry["settings"]
    figures = [file for file in files if file.is_readable and file.name.lower().endswith(FIGURES)]
    figure = min(figures, key=lambda file: file.name, default=None)
    licence, _, licence_url = settings.publications_licence.rpartition(" ")
    about = About(
        id=row.id,
        title=row.title or f"Outputs {row.id} of {context.workspace.name}",
        summary=row.summary,
        address=link(settings.base_url, *names, "outputs", row.id),
        counts=counts,
        prepared_by=row.created_by.fullname,
        prepared_at=row.created_at,
        published_by=(in_force.decided_by or "") if in_force else "",
        published_at=in_force.decided_at if in_force else None,
        org=context.org.name,
        project=context.project.name,
        runs=provenance.runs_behind(db, row.id),
        picture=link(settings.base_url, *names, "published", figure.id) if figure else "",
        licence=(licence.strip(), licence_url),
    )
    repo = context.workspace.repo
    github = OnGithub(settings, repo)
    return {
        "about": about,
        "wishes": wishes if inside else None,
        "acts": _acts(request, context, wishes),
        "places": {
            "org": (about.org, page_url(request, *names[:1])),
            "project": (about.project, page_url(request, *names[:2])),
            "workspace": (context.workspace.name, page_url(request, *names)),
            "repo": (f"{repo.owner}/{repo.name}", github.url),
        },
        "commit_url": github.commit,
        "run_url": lambda run: page_url(request, *names, run.id),
        "now": utcnow(),
    }


def _acts(request: Request, context: SnapshotResource, wishes: Sequence[Wish]) -> list[tuple[str, str, str]]:
    """What the reader may do about it: the button's variant, its label, and where it leads."""
    pending = next((each for each in wishes if each.state == "pending"), None)
    is_public = any(each.state == "approved" for each in wishes)
    may_decide = request.has_permission(Permission.SNAPSHOT_PUBLISH)
    found = []
    if pending and may_decide:
        if not is_public:
            found.append(("primary", "Approve…", "approve"))
        found.append(("plain", "Reject…", "reject"))
    if pending and request.identity and pending.asked_by_id == request.identity.user_id:
        found.append(("plain", "Withdraw request…", "withdraw"))
    if is_public and may_decide:
        found.append(("danger", "Unpublish…", "unpublish"))
    if not pending and not is_public and request.has_permission(Permission.SNAPSHOT_CREATE):
        label = "Ask again…" if wishes else "Ask for publication…"
        found.append(("primary", label, "ask-again"))
    return [(variant, label, view_url(request, context, name)) for variant, label, name in found]
