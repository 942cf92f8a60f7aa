"""What operators do about a backend in trouble, each after a look at what it would touch (issue 5).

A form is sent twice: with ``step=preview`` the answer lists what would happen, with ``step=do`` it happens.
"""

from datetime import timedelta
from typing import Any

from pyramid.httpexceptions import HTTPBadRequest, HTTPSeeOther
from pyramid.request import Request
from pyramid.view import view_config, view_defaults

from jobserver.actions import backend_operations as actions
from jobserver.actions import changes
from jobserver.actions.backend_operations import Announcement
from jobserver.actions.naming import Malformed
from jobserver.actions.versions import version_of
from jobserver.forms.staff.backends import AnnounceForm, CancelAllForm, PauseForm
from jobserver.models import AlertLevel, utcnow
from jobserver.queries.staff import operations as queries
from jobserver.queries.staff.operations import Recipient
from jobserver.resources.staff import StaffBackend
from jobserver.security.permissions import Permission
from jobserver.templating.numbers import count
from jobserver.views.fields import texts
from jobserver.views.staff.backends import FOLDER, frame, to_backend

CHANGED = "What this would touch has changed since you looked. Nothing was done; this is how it is now."


@view_defaults(context=StaffBackend, permission=Permission.BACKEND_MANAGE)
class Operations:
    """The pages of one backend."""

    def __init__(self, context: StaffBackend, request: Request) -> None:
        self.request = request
        self.backend = context.thing
        self.sent = texts(request.POST) if request.method == "POST" else None
        self.step = request.POST.get("step", "preview") if self.sent is not None else ""
        if self.step not in {"", "preview", "do"}:
            raise HTTPBadRequest("The form field step must be preview or do.")

    @view_config(name="pause", request_method=("GET", "POST"), renderer=f"{FOLDER}/pause.jinja2")
    def pause(self) -> dict[str, Any] | HTTPSeeOther:
        """Nobody can ask for jobs, and people read why."""
        form = PauseForm(self.sent, reason=self.backend.creation_pause_reason)
        valid = self.sent is not None and form.validate()
        version = changes.version(self.backend, "creation_paused_at", "creation_pause_reason")
        if valid and self.step == "do" and not self._is_old(form, version):
            try:
                done = actions.pause(
                    self.request.db, self.backend, by=self.request.identity, reason=form.reason.data
                )
            except Malformed as fault:
                form.reason.errors = [str(fault)]
                valid = False
            else:
                words = "takes no new requests now" if done else "was paused for this reason already"
                return self._back("success" if done else "info", f"{self.backend.name} {words}.")
        form.version.data = version
        reach = queries.reach(self.request.db, self.backend.id) if valid else None
        return self._page("Pause new requests", form, preview=reach)

    @view_config(name="resume", request_method="POST")
    def resume(self) -> HTTPSeeOther:
        """People can ask for jobs again."""
        if actions.resume(self.request.db, self.backend, by=self.request.identity):
            return self._back("success", f"{self.backend.name} takes new requests again.")
        return self._back("info", f"{self.backend.name} was not paused.")

    @view_config(name="announce", request_method=("GET", "POST"), renderer=f"{FOLDER}/announce.jinja2")
    def announce(self) -> dict[str, Any] | HTTPSeeOther:
        """A site alert about the backend, and a mail to those whom it concerns, if that is wanted."""
        form = AnnounceForm(self.sent)
        valid = self.sent is not None and form.validate()
        if valid and self.step == "do":
            # Whoever sends it a second time, or at once, waits here and then finds it announced.
            actions.hold(self.request.db, self.backend)
        people: list[Recipient] = []
        if valid and form.mail.data:
            people = queries.recipients(self.request.db, self.backend.id)
        said = queries.last_announcement(self.request.db, self.backend.id)
        version = version_of(*map(str, [said, *[each.user_id for each in people]]))
        if valid and self.step == "do" and not self._is_old(form, version):
            try:
                return self._announce(form, people)
            except Malformed as fault:
                form.form_errors.append(str(fault))
                valid = False
        form.version.data = version
        return self._page("Announce", form, preview=valid, people=people, ends_at=_end(form))

    def _announce(self, form: AnnounceForm, people: list[Recipient]) -> HTTPSeeOther:
        level = AlertLevel(form.level.data)
        what = Announcement(form.title.data or "", form.message.data or "", level, _end(form))
        mail_to = [each.user_id for each in people]
        actions.announce(self.request.db, self.backend, what, by=self.request.identity, mail_to=mail_to)
        mailed = f" A mail goes to {count(len(people), 'person', 'people')}." if form.mail.data else ""
        return self._back("success", f"Everybody who is signed in sees it now.{mailed}")

    @view_config(name="cancel-all", request_method=("GET", "POST"), renderer=f"{FOLDER}/cancel_all.jinja2")
    def cancel_all(self) -> dict[str, Any] | HTTPSeeOther:
        """Cancel whatever goes on at the backend, as far as the person has seen it listed."""
        form = CancelAllForm(self.sent)
        valid = self.sent is not None and form.validate()
        if valid and self.step == "do":
            return self._cancel(form)
        db, backend_id = self.request.db, self.backend.id
        found = queries.cancellable(db, backend_id) if valid else []
        form.requests.data = ",".join(str(each.id) for each in found)
        return self._page(
            "Cancel everything",
            form,
            preview=valid,
            found=found,
            jobs=sum(each.jobs for each in found),
            waiting=queries.not_known_yet(db, backend_id) if valid else [],
            people=queries.people(found),
        )

    def _cancel(self, form: CancelAllForm) -> HTTPSeeOther:
        if form.ids is None:
            raise HTTPBadRequest("The form field requests must list the numbers of requests.")
        listed = form.ids[: queries.MOST]
        done = actions.cancel_all(
            self.request.db, self.backend, listed, by=self.request.identity, reason=form.reason.data
        )
        if not done.requests:
            return self._back("info", "Nothing was cancelled: the requests that were listed have ended.")
        jobs, requests = count(done.jobs, "job"), count(len(done.requests), "request")
        return self._back(
            "success", f"{self.backend.name} is being asked to cancel {jobs} of {requests}; see their pages."
        )

    def _is_old(self, form: PauseForm | AnnounceForm, version: str) -> bool:
        """Whether what the person saw is no more; the form says so then."""
        if form.version.data == version:
            return False
        form.form_errors.append(CHANGED)
        return True

    def _back(self, level: str, words: str) -> HTTPSeeOther:
        self.request.flash(level, words)
        return to_backend(self.request, self.backend)

    def _page(self, title: str, form: Any, **values: Any) -> dict[str, Any]:
        return {
            **frame(self.request, self.backend, title),
            "backend": self.backend,
            "form": form,
            "now": utcnow(),
            **values,
        }


def _end(form: AnnounceForm) -> Any:
    hours = form.hours.data
    return utcnow() + timedelta(hours=hours) if hours and not form.hours.errors else None
