"""What staff are told in Slack: of new people; as co-pilots, of projects, signed-off repositories, support.

Spec: operations 4.3, staff 16.
"""

from datetime import UTC, datetime, time, timedelta

from sqlalchemy.orm import Session

from jobserver import queue
from jobserver.models import Project, User, utcnow
from jobserver.queries import sign_off
from jobserver.queries.staff.copilots import support_ending
from jobserver.rap.context import Context
from jobserver.tasks import sending
from jobserver.tasks.airlock_words import slack
from jobserver.tasks.links import link
from jobserver.tasks.repo_mails import signed_off
from jobserver.tasks.retrying import GiveUp
from jobserver.templating.times import LONDON

SOON = timedelta(days=5)


def announce_new_user(context: Context, *, user_id: int) -> None:
    """Tell that somebody has signed in for the first time."""
    with context.transaction() as db:
        user = db.get(User, user_id)
    if user is None:
        raise GiveUp(f"there is no user {user_id}")
    person = _link(context.settings.base_url, user.username, "users", user.username)
    sending.post(context, context.settings.registrations_slack_channel, f"New user: {person}")


def announce_project(context: Context, *, project_id: int) -> None:
    """Tell of a new project that has a co-pilot."""
    with context.transaction() as db:
        project = db.get(Project, project_id)
        if project is None:
            raise GiveUp(f"there is no project {project_id}")
        author, copilot = db.get(User, project.created_by_id), db.get(User, project.copilot_id or 0)
    base_url = context.settings.base_url
    made = _link(base_url, project.title, "projects", project.slug)
    lines = [
        f"New project: {made}, created by {_person(base_url, author)}.",
        "Please update the tracking board, and get in touch with its people.",
        f"Co-pilot: {_person(base_url, copilot)}",
    ]
    _post(context, "\n".join(lines))


def announce_repo_signed_off(context: Context, *, repo_id: int) -> None:
    """Tell of a repository without outputs on GitHub that a researcher has signed off."""
    with context.transaction() as db:
        repo, signer = signed_off(db, repo_id)
        using = sign_off.projects(db, repo_id)
    base_url = context.settings.base_url
    page = _link(base_url, f"{repo.owner}/{repo.name}", "repos", repo.owner, repo.name)
    lines = [
        f"Repository signed off by a researcher: {page}, by {_person(base_url, signer)}.",
        "Please check it, and sign it off on that page: then it is made public.",
    ]
    for each in using:
        project = f"<{link(base_url, *each.path)}|{slack(each.path[-1])}>"
        lines.append(f"Project: {project}. Co-pilot: {_person(base_url, each.copilot)}")
    _post(context, "\n".join(lines))


def ask_for_support_ends(db: Session) -> bool:
    """Have the weekly message sent, once from each Sunday on; whether it was asked for now."""
    today = utcnow().astimezone(LONDON).date()
    sunday = today - timedelta(days=today.isoweekday() % 7)
    return queue.defer(db, queue.Task.ANNOUNCE_SUPPORT_ENDS, key=sunday.isoformat())


def announce_support_ends(context: Context) -> None:
    """Tell of the projects whose support ends within the next days; nothing if there are none."""
    today = utcnow().date()
    start = datetime.combine(today, time(), UTC)
    with context.transaction() as db:
        projects = support_ending(db, start, start + SOON)
    if not projects:
        return
    days = {0: "today", 1: "tomorrow"}
    lines = ["Support by co-pilots ends soon:"]
    for project in projects:
        ends = project.ends_at.astimezone(UTC).date()
        when = days.get((ends - today).days, f"{ends.day} {ends:%b %Y}")
        lines.append(f"• {_link(context.settings.base_url, project.name, 'projects', project.slug)} ({when})")
    _post(context, "\n".join(lines))


def _person(base_url: str, person: User | None) -> str:
    return _link(base_url, person.fullname, "users", person.username) if person else "nobody"


def _link(base_url: str, label: str, *names: str) -> str:
    return f"<{link(base_url, 'staff', *names)}|{slack(label)}>"


def _post(context: Context, words: str) -> None:
    sending.post(context, context.settings.copilot_support_slack_channel, words)
