"""Organisations in the staff area: listed, added, looked at, their members and GitHub organisations.

Spec: staff 7.1 to 7.3, 7.5.
"""

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from jobserver.actions import orgs as actions
from jobserver.actions.naming import Refused
from jobserver.actions.redirects import LeadsElsewhere
from jobserver.forms.staff.orgs import GithubOrgForm, NewOrgForm, OrgMembersForm
from jobserver.models import Org, User, utcnow
from jobserver.queries.staff import orgs as queries
from jobserver.queries.staff.audit import recent
from jobserver.queries.staff.project_page import users_named
from jobserver.queries.staff.redirects import leading_to
from jobserver.queries.staff.things import user as user_called
from jobserver.resources.links import page_url
from jobserver.resources.staff import StaffOrg, StaffOrgs
from jobserver.resources.uploads import logo_url
from jobserver.security.next_url import safe_next
from jobserver.security.permissions import Permission
from jobserver.views.fields import texts
from jobserver.views.pages import pager_of
from jobserver.views.staff.listing import TEMPLATE, listed

FOLDER = "jobserver:templates/staff/orgs"
DETAIL = f"{FOLDER}/detail.jinja2"
# What organisations of before had from their beginning (spec: domain 3.5).
GITHUB_ORGS = ("opensafely",)


@view_config(
    context=StaffOrgs, permission=Permission.STAFF_AREA_VIEW, request_method="GET", renderer=TEMPLATE
)
def orgs(context: StaffOrgs, request: Request) -> dict[str, Any] | Response:
    """All organisations."""
    return listed(request, queries.ORGS, part="orgs/list", heading="Organisations", file="organisations")


@view_config(
    context=StaffOrgs,
    name="add",
    permission=Permission.ORG_CREATE,
    request_method=("GET", "POST"),
    renderer=f"{FOLDER}/add.jinja2",
)
def add(context: StaffOrgs, request: Request) -> dict[str, Any] | HTTPSeeOther:
    """Make one of a name; ``next`` says where to go on with it."""
    form = NewOrgForm(texts(request.POST))
    wanted = safe_next(form.next.data or request.GET.get("next"), "")
    clashes = False
    if request.method == "POST" and form.validate():
        try:
            org = actions.create(
                request.db,
                by=request.identity,
                name=form.name.data or "",
                github_orgs=GITHUB_ORGS,
                take_over=bool(form.take_over.data),
            )
        except Refused as fault:
            clashes = isinstance(fault, LeadsElsewhere)
            form.name.errors = [str(fault)]
        else:
            request.flash("success", f"Added the organisation {org.name}.")
            return HTTPSeeOther(_with_org(wanted, org) if wanted else home(request, org))
    form.next.data = wanted
    list_url = page_url(request, "staff", "orgs")
    sees = request.has_permission(Permission.STAFF_AREA_VIEW)
    return {
        "form": form,
        "clashes": clashes or form.take_over.data,
        "back_url": wanted or (list_url if sees else "/"),
        "breadcrumbs": [
            ("Staff area", page_url(request, "staff") if sees else None),
            ("Organisations", list_url if sees else None),
            ("Add", None),
        ],
    }


@view_config(context=StaffOrg, permission=Permission.STAFF_AREA_VIEW, request_method="GET", renderer=DETAIL)
def detail(context: StaffOrg, request: Request) -> dict[str, Any]:
    """What is known of it, who belongs to it, its projects."""
    return _detail(request, context.thing, OrgMembersForm(), GithubOrgForm())


@view_config(
    context=StaffOrg, permission=Permission.STAFF_AREA_ACCESS, request_method="POST", renderer=DETAIL
)
def add_members(context: StaffOrg, request: Request) -> dict[str, Any] | HTTPSeeOther:
    """Let all of them belong to it, or nobody."""
    org = context.thing
    form = OrgMembersForm(texts(request.POST))
    if form.validate():
        found = users_named(request.db, form.usernames)
        form.refuse(
            unknown=[name for name in form.usernames if name.lower() not in found],
            disabled=[user.username for user in found.values() if user.disabled_at],
        )
        if not form.users.errors:
            added = [user for user in found.values() if _added(request, org, user, form)]
            already = [user.username for user in found.values() if user not in added]
            if added:
                names = ", ".join(user.username for user in added)
                request.flash("success", f"Added to {org.name}: {names}.")
            if already:
                request.flash("info", f"Belonged to {org.name} already: {', '.join(already)}.")
            return HTTPSeeOther(home(request, org))
    return _detail(request, org, form, GithubOrgForm())


def _added(request: Request, org: Org, user: User, form: OrgMembersForm) -> bool:
    return actions.add_member(request.db, org, user, by=request.identity, ends_at=form.ends_at)


@view_config(
    context=StaffOrg,
    name="remove-member",
    permission=Permission.STAFF_AREA_ACCESS,
    request_method="POST",
)
def remove_member(context: StaffOrg, request: Request) -> HTTPSeeOther:
    """End a membership, if there is one (spec: staff 17.39)."""
    org = context.thing
    username = texts(request.POST).get("username", "").replace("\0", "").strip()
    user = user_called(request.db, username)
    if user is not None and actions.remove_member(request.db, org, user, by=request.identity):
        request.flash("success", f"{user.username} no longer belongs to {org.name}.")
    else:
        request.flash(
            "warning", f"{username[:255] or 'Nobody'} did not belong to {org.name}. Nothing changed."
        )
    return HTTPSeeOther(home(request, org))


@view_config(
    context=StaffOrg,
    name="add-github-org",
    permission=Permission.STAFF_AREA_ACCESS,
    request_method=("GET", "POST"),
    renderer=DETAIL,
)
def add_github_org(context: StaffOrg, request: Request) -> dict[str, Any] | HTTPSeeOther:
    """One GitHub organisation more; what is wrong is said on the same page (spec: staff 17.1)."""
    org = context.thing
    form = GithubOrgForm(texts(request.POST))
    if request.method == "POST" and form.validate():
        try:
            actions.add_github_org(request.db, org, form.name.data or "", by=request.identity)
        except Refused as fault:
            form.name.errors = [str(fault)]
        else:
            request.flash("success", f"Added {form.name.data} to the GitHub organisations of {org.name}.")
            return HTTPSeeOther(home(request, org))
    return _detail(request, org, OrgMembersForm(), form)


@view_config(
    context=StaffOrg,
    name="remove-github-org",
    permission=Permission.STAFF_AREA_ACCESS,
    request_method="POST",
)
def remove_github_org(context: StaffOrg, request: Request) -> HTTPSeeOther:
    """Take one away, if it is one of them."""
    org, name = context.thing, texts(request.POST).get("name", "").strip()
    if actions.remove_github_org(request.db, org, name, by=request.identity):
        request.flash("success", f"Removed {name} from the GitHub organisations of {org.name}.")
    else:
        words = f"{name[:255] or 'Nothing'} is none of the GitHub organisations of {org.name}."
        request.flash("warning", f"{words} Nothing changed.")
    return HTTPSeeOther(home(request, org))


def home(request: Request, org: Org) -> str:
    """Its page in the staff area, for those who may see that; else its public one (spec: staff 17.23)."""
    if request.has_permission(Permission.STAFF_AREA_VIEW):
        return page_url(request, "staff", "orgs", org.slug)
    return page_url(request, org.slug)


def _with_org(path: str, org: Org) -> str:
    """The path with the organisation in its query, where the next form finds it."""
    parts = urlsplit(path)
    query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != "org-slug"]
    return f"{parts.path}?{urlencode([*query, ('org-slug', org.slug)])}"


def _detail(
    request: Request, org: Org, members_form: OrgMembersForm, github_form: GithubOrgForm
) -> dict[str, Any]:
    db = request.db
    pager = pager_of(request, queries.number_of_members(db, org.id), queries.MEMBERS)
    projects, number_of_projects = queries.projects(db, org.id)
    here = page_url(request, "staff", "orgs", org.slug)
    return {
        "org": org,
        "logo": logo_url(org),
        "creator": db.get(User, org.created_by_id) if org.created_by_id else None,
        "members": queries.members(db, org.id, offset=pager.offset),
        "pager": pager,
        "projects": projects,
        "number_of_projects": number_of_projects,
        "redirects": leading_to(db, org),
        "events": recent(db, "Org", org.id),
        "members_form": members_form,
        "github_form": github_form,
        "may_change": request.has_permission(Permission.STAFF_AREA_ACCESS),
        "now": utcnow(),
        "here": here,
        "url": lambda *names: page_url(request, *names),
        "breadcrumbs": [
            ("Staff area", page_url(request, "staff")),
            ("Organisations", page_url(request, "staff", "orgs")),
            (org.name, None),
        ],
    }
