"""What operators do about a backend in trouble: pause, announce, cancel everything (issue 5)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session
from webob.multidict import MultiDict

from jobserver import models as m
from jobserver.actions import job_requests
from jobserver.clients import Clients
from jobserver.forms.run_jobs import RunJobsForm
from jobserver.models import utcnow
from jobserver.queue import Task
from jobserver.rap.context import Context
from jobserver.settings import Settings
from jobserver.tasks import operations
from jobserver.tasks.deliveries import DELIVERIES
from tests import factories as f
from tests.web.conftest import Browser
from tests.web.staff.test_backends import events, fields_of
from tests.web.staff.test_job_requests import active
from tests.web.staff.test_site_alerts import edit_form


@pytest.fixture
def staff(web: Browser, db: Session) -> Browser:
    """A Staff Area Administrator's browser."""
    return web.sign_in(
        f.UserFactory(username="staff-1", fullname="Sam Staff", roles=["StaffAreaAdministrator"])
    )


@pytest.fixture
def tpp(db: Session) -> m.Backend:
    """The backend in trouble."""
    made: m.Backend = f.BackendFactory(slug="tpp", name="TPP")
    return made


def address(backend: m.Backend, page: str) -> str:
    """One of its pages."""
    return f"/staff/backends/{backend.id}/{page}/"


def deferred(db: Session, task: Task) -> list[dict[str, Any]]:
    """The arguments of the tasks of this kind, in the order in which they were asked for."""
    db.rollback()
    rows = db.execute(text("SELECT task_name, args FROM procrastinate_jobs ORDER BY id"))
    return [row.args for row in rows if row.task_name == task]


def doing(page: Any, button: str) -> dict[str, str]:
    """The fields of the form whose button says this."""
    part = page.text[: page.text.index(f">{button}")]
    [fields] = [fields_of(_Text(part[part.rindex("<form") :]))]
    return fields


class _Text:
    def __init__(self, part: str) -> None:
        self.text = part


# Pausing


def test_a_pause_is_looked_at_first_then_made_and_recorded(
    staff: Browser, db: Session, tpp: m.Backend
) -> None:
    f.BackendMembershipFactory(backend=tpp)
    active(backend=tpp)
    look = staff.submit(address(tpp, "pause"), {"reason": "Disk is full", "step": "preview"})
    assert "1 person with access" in look.text
    assert "1 request going on there is not touched" in look.text
    db.refresh(tpp)
    assert tpp.creation_paused_at is None
    assert events(db, "backend_paused") == []
    fields = doing(look, "Pause new requests</button>")
    assert "takes no new requests now" in staff.submit(address(tpp, "pause"), fields).follow().text
    db.refresh(tpp)
    assert tpp.creation_pause_reason == "Disk is full"
    [event] = events(db, "backend_paused")
    assert (event.created_by, event.reason) == ("staff-1", "Disk is full")
    assert event.changes == {"creation_pause_reason": [None, "Disk is full"]}
    # Sent once more by the same form: it is about another state.
    again = staff.submit(address(tpp, "pause"), fields)
    assert "has changed since you looked" in again.text
    assert len(events(db, "backend_paused")) == 1
    assert "takes new requests again" in staff.submit(address(tpp, "resume")).follow().text
    assert "was not paused" in staff.submit(address(tpp, "resume")).follow().text
    db.refresh(tpp)
    assert (tpp.creation_paused_at, tpp.creation_paused_by_id, tpp.creation_pause_reason) == (None, None, "")
    [event] = events(db, "backend_resumed")
    assert event.changes == {"creation_pause_reason": ["Disk is full", None]}


@pytest.mark.parametrize("fields", [{}, {"reason": "  "}, {"reason": "x" * 501}])
def test_a_pause_needs_a_reason(staff: Browser, db: Session, tpp: m.Backend, fields: dict[str, str]) -> None:
    for step in ("preview", "do"):
        assert "There is a problem" in staff.submit(address(tpp, "pause"), {**fields, "step": step}).text
    db.refresh(tpp)
    assert tpp.creation_paused_at is None


def test_a_step_is_one_of_two(staff: Browser, tpp: m.Backend) -> None:
    for page in ("pause", "announce", "cancel-all"):
        staff.submit(address(tpp, page), {"reason": "x", "step": "jump"}, status=400)
        staff.get(address(tpp, page))


def pause(db: Session, backend: m.Backend, reason: str = "Disk is full") -> None:
    """As staff leave it."""
    by = f.UserFactory().id
    backend.creation_paused_at, backend.creation_paused_by_id = utcnow(), by
    backend.creation_pause_reason = reason
    db.commit()


def test_nobody_can_ask_for_jobs_meanwhile_whichever_way(db: Session, tpp: m.Backend) -> None:
    workspace = f.WorkspaceFactory()
    user = f.UserFactory()
    f.BackendMembershipFactory(backend=tpp, user=user)
    asking = {
        "workspace": workspace,
        "backend": tpp,
        "by": user,
        "commit": "a" * 40,
        "branch": "main",
        "project_definition": "",
        "codelists_ok": True,
        "requested_actions": ["one"],
        "force_run_dependencies": False,
        "will_notify": False,
        "creation_disabled": False,
    }
    before = job_requests.create(db, **asking)
    db.commit()
    pause(db, tpp)
    with pytest.raises(
        job_requests.CreationPaused, match="TPP takes no new job requests for now: Disk is full"
    ):
        job_requests.create(db, **asking)
    db.rollback()
    assert [each.id for each in db.scalars(select(m.JobRequest))] == [before.id]


def test_an_access_that_has_ended_lets_nobody_ask(db: Session, tpp: m.Backend) -> None:
    user = f.UserFactory()
    f.BackendMembershipFactory(backend=tpp, user=user, ends_at=utcnow() - timedelta(minutes=1))
    refusal = job_requests.why_not(db, f.WorkspaceFactory(), tpp, user.id, creation_disabled=False)
    assert isinstance(refusal, job_requests.BackendNotAllowed)


def test_people_read_why(web: Browser, db: Session, tpp: m.Backend) -> None:
    pause(db, tpp, "Disk is <full>")
    for address_ in ("/status/", "/status/?live=1"):
        page = web.get(address_).text
        assert "TPP takes no new job requests for now." in page
        assert "Disk is &lt;full&gt;" in page
    developer, workspace = f.UserFactory(), f.WorkspaceFactory()
    f.BackendMembershipFactory(backend=tpp, user=developer)
    f.ProjectMembershipFactory(project=workspace.project, user=developer, roles=["ProjectDeveloper"])
    place = f"/{workspace.project.org.slug}/{workspace.project.slug}/{workspace.name}/"
    page = web.sign_in(developer).get(f"{place}run-jobs/")
    assert "TPP takes no new job requests for now" in page.text
    assert "Disk is &lt;full&gt;" in page.text
    assert "Disk is &lt;full&gt;" in web.get(place).text


def test_the_run_form_refuses_a_paused_backend_with_the_reason(db: Session, tpp: m.Backend) -> None:
    pause(db, tpp)
    form = RunJobsForm(MultiDict([("backend", "tpp"), ("requested_actions", "one")]))
    form.offer([], ["one"], [tpp])
    assert not form.validate()
    assert form.backend.errors == ["TPP takes no new job requests for now: Disk is full"]


# Announcing

WORDS = {"title": "TPP is down", "message": "It *hurts*.\n\n<b>x</b>", "level": "danger", "hours": "2"}


def test_an_announcement_is_looked_at_first_then_shown_and_mailed(
    staff: Browser, db: Session, tpp: m.Backend, settings: Settings, session_factory: Any
) -> None:
    ann = f.UserFactory(fullname="Ann", email="ann@example.com")
    active(backend=tpp, created_by=ann)
    active(backend=tpp, created_by=ann)
    active(created_by=f.UserFactory(fullname="Elsewhere"))
    closed = f.UserFactory(fullname="Closed", disabled_at=utcnow(), disabled_by_id=ann.id)
    active(backend=tpp, created_by=closed)
    active(backend=tpp, created_by=f.UserFactory(fullname="Bot", email=None))
    look = staff.submit(address(tpp, "announce"), {**WORDS, "mail": "y", "step": "preview"})
    assert "1 person gets it as a mail" in look.text
    assert "2 requests" in look.text
    assert "<em>hurts</em>" in look.text
    for name in ("Elsewhere", "Closed", "Bot"):
        assert name not in look.text
    assert db.scalars(select(m.SiteAlert)).all() == []
    fields = doing(look, "Announce it</button>")
    fields["message"] = WORDS["message"]
    assert "A mail goes to 1 person." in staff.submit(address(tpp, "announce"), fields).follow().text
    [alert] = db.scalars(select(m.SiteAlert))
    assert (alert.title, alert.level, alert.created_by_id is not None) == ("TPP is down", "danger", True)
    assert timedelta(minutes=119) < alert.ends_at - utcnow() <= timedelta(hours=2)
    [event] = events(db, "site_alert_created")
    assert (event.created_by, event.target_label, event.parent_label) == ("staff-1", "TPP is down", "TPP")
    [mailed] = events(db, "announcement_mailed")
    assert mailed.changes == {"mails": [None, 1]}
    [arguments] = deferred(db, Task.MAIL_ANNOUNCEMENT)
    assert arguments == {"user_id": ann.id, "alert_id": alert.id, "backend_id": tpp.id}


def test_whoever_came_to_be_mailed_meanwhile_has_to_be_looked_at(
    staff: Browser, db: Session, tpp: m.Backend
) -> None:
    look = staff.submit(address(tpp, "announce"), {**WORDS, "mail": "y", "step": "preview"})
    assert "no mail goes out" in look.text
    fields = doing(look, "Announce it</button>")
    active(backend=tpp)
    again = staff.submit(address(tpp, "announce"), fields)
    assert "has changed since you looked" in again.text
    assert db.scalars(select(m.SiteAlert)).all() == []
    staff.submit(address(tpp, "announce"), doing(again, "Announce it</button>"), status=303)
    assert len(deferred(db, Task.MAIL_ANNOUNCEMENT)) == 1


def test_sent_twice_at_once_it_is_made_once_and_mailed_once(
    app: Any, staff: Browser, db: Session, tpp: m.Backend
) -> None:
    active(backend=tpp)
    look = staff.submit(address(tpp, "announce"), {**WORDS, "mail": "y", "step": "preview"})
    fields = doing(look, "Announce it</button>")

    def press(_number: int) -> Any:
        browser = Browser(app)
        for name, value in staff.cookies.items():
            browser.set_cookie(name, value.strip('"'))
        return browser.submit(address(tpp, "announce"), fields, status="*")

    with ThreadPoolExecutor(2) as pool:
        later, first = sorted(pool.map(press, range(2)), key=lambda answer: answer.status_int)
    assert (later.status_int, first.status_int) == (200, 303)
    assert "has changed since you looked" in later.text
    assert len(db.scalars(select(m.SiteAlert)).all()) == 1
    assert len(deferred(db, Task.MAIL_ANNOUNCEMENT)) == 1
    # Whoever means to say something else can.
    staff.submit(address(tpp, "announce"), doing(later, "Announce it</button>"), status=303)


def test_without_a_tick_nobody_gets_a_mail_and_without_hours_it_is_ended_by_hand(
    staff: Browser, db: Session, tpp: m.Backend
) -> None:
    active(backend=tpp)
    longest = {"title": "x" * 255, "message": "x" * 5000, "hours": ""}
    look = staff.submit(address(tpp, "announce"), {**WORDS, **longest, "step": "preview"})
    staff.submit(address(tpp, "announce"), doing(look, "Announce it</button>"), status=303)
    [alert] = db.scalars(select(m.SiteAlert))
    assert alert.ends_at is None
    assert deferred(db, Task.MAIL_ANNOUNCEMENT) == []
    assert events(db, "announcement_mailed") == []
    ending = {**edit_form(staff, alert), "ends_at": "2026-05-02T10:00"}
    staff.submit(f"/staff/site-alerts/edit/{alert.id}/", ending, status=303)


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": " "},
        {"title": "x" * 256},
        {"message": ""},
        {"message": "x" * 5001},
        {"level": "loud"},
        {"level": ""},
        {"hours": "0"},
        {"hours": "x"},
        {"hours": "721"},
        {"hours": "9" * 30},
    ],
)
def test_a_faulty_announcement_is_not_made(
    staff: Browser, db: Session, tpp: m.Backend, wrong: dict[str, str]
) -> None:
    for step in ("preview", "do"):
        page = staff.submit(address(tpp, "announce"), {**WORDS, **wrong, "step": step})
        assert "There is a problem" in page.text
        assert "Announce it</button>" not in page.text
    assert db.scalars(select(m.SiteAlert)).all() == []


def test_the_mail_says_what_the_alert_says_and_none_goes_out_once_it_is_withdrawn(
    db: Session, tpp: m.Backend, context: Context
) -> None:
    ann = f.UserFactory(fullname="Ann", email="ann@example.com")
    alert = m.SiteAlert(title="TPP\nis down", message="It *hurts* <b>.\n\nMore later.", level="danger")
    mail = operations.announcement(ann, tpp, alert, "https://jobs.example.org/")
    assert (mail.to, mail.subject) == ("ann@example.com", "TPP: TPP is down")
    assert "It *hurts* <b>.\n\nMore later." in mail.text
    assert "<em>hurts</em> &lt;b&gt;" in mail.html
    assert "https://jobs.example.org/users/" in mail.text
    # Nothing could be sent from here: this succeeds because there is nothing to send.
    DELIVERIES[Task.MAIL_ANNOUNCEMENT](context, user_id=ann.id, alert_id=999, backend_id=tpp.id)


# Cancelling everything


def test_everything_is_listed_first_then_cancelled_and_nothing_elsewhere(
    staff: Browser, db: Session, tpp: m.Backend, context: Context
) -> None:
    here = [active(backend=tpp), active(backend=tpp)]
    there = active()
    ended = f.JobRequestFactory(backend=tpp, status="succeeded", completed_at=utcnow())
    f.JobFactory(job_request=ended, status="succeeded", completed_at=utcnow())
    new = f.JobRequestFactory(backend=tpp, status="pending")
    look = staff.submit(address(tpp, "cancel-all"), {"reason": "Power cut", "step": "preview"})
    assert "4 jobs of 2 requests" in look.text
    assert "Cannot be cancelled yet" in look.text
    for request, listed in ((here[0], True), (here[1], True), (new, True), (there, False), (ended, False)):
        assert (f"/staff/job-requests/{request.id}/" in look.text) == listed
    assert deferred(db, Task.CANCEL_REQUESTS) == []
    fields = doing(look, "Cancel 4 jobs</button>")
    later = active(backend=tpp)
    # Of the other backend's request nothing happens either, whatever a form says.
    fields["requests"] += f",{there.id},{ended.id}"
    assert "cancel 4 jobs of 2 requests" in staff.submit(address(tpp, "cancel-all"), fields).follow().text
    [event] = events(db, "backend_cancelled_all")
    assert (event.created_by, event.reason) == ("staff-1", "Power cut")
    assert event.new == f"{here[0].id},{here[1].id}"
    assert event.changes == {"requests": [None, 2], "jobs": [None, 4]}
    [arguments] = deferred(db, Task.CANCEL_REQUESTS)
    for _ in range(2):
        DELIVERIES[Task.CANCEL_REQUESTS](context, **arguments)
    db.expire_all()
    assert [each.cancelled_actions for each in here] == [["first", "second"]] * 2
    assert [each.cancelled_actions for each in (there, later, ended, new)] == [[]] * 4
    assert len(deferred(db, Task.SEND_CANCELLATION)) == 2
    assert {each.created_by for each in events(db, "job_request_cancelled")} == {"staff-1"}
    assert "Nothing was cancelled" in staff.submit(address(tpp, "cancel-all"), fields).follow().text
    assert len(events(db, "backend_cancelled_all")) == 1


@pytest.mark.parametrize("requests", ["x", "1,x", "-1", "1.5", "1,,2", "9" * 30])
def test_a_forged_list_is_refused(staff: Browser, db: Session, tpp: m.Backend, requests: str) -> None:
    fields = {"reason": "Power cut", "requests": requests, "step": "do"}
    staff.submit(address(tpp, "cancel-all"), fields, status=400)
    assert deferred(db, Task.CANCEL_REQUESTS) == []


def test_with_nothing_going_on_the_page_says_so(staff: Browser, db: Session, tpp: m.Backend) -> None:
    look = staff.submit(address(tpp, "cancel-all"), {"reason": "Power cut", "step": "preview"})
    assert "There is nothing to cancel" in look.text
    assert "There is a problem" in staff.submit(address(tpp, "cancel-all"), {"step": "do"}).text


@pytest.fixture
def context(settings: Settings, session_factory: Any) -> Context:
    """What the worker has."""
    return Context(settings, session_factory, Clients.from_settings(settings))
