"""Airlock signing people in, for tests."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session
from webtest import TestResponse

from jobserver.models import AuditableEvent, Backend, User, utcnow
from jobserver.security import level4
from jobserver.settings import Settings
from tests import factories as f
from tests.web.conftest import Browser

TOKEN = "river pepper lantern"
FAILED = "level4_login_failed"
AUTHENTICATE, AUTHORISE = "/api/v2/releases/authenticate", "/api/v2/releases/authorise"


@dataclass
class Airlock:
    """A backend's Airlock, and the database behind our answers."""

    web: Browser
    db: Session
    settings: Settings
    backend: Backend
    secret: str

    def user(
        self, *, token: str | None = TOKEN, lasts: timedelta = timedelta(hours=1), **values: Any
    ) -> User:
        """Somebody who can sign in on this backend."""
        user: User = f.UserFactory(**values)
        f.GithubIdentityFactory(user=user)
        f.BackendMembershipFactory(backend=self.backend, user=user)
        if token is not None:
            self.give(user, token, lasts)
        return user

    def give(self, user: User, token: str = TOKEN, lasts: timedelta = timedelta(hours=1)) -> None:
        """Give somebody a token."""
        user.login_token = level4.hashed(token, self.settings.secret_key)
        user.login_token_expires_at = utcnow() + lasts
        user.login_token_failures = 0
        self.db.commit()

    def post(self, path: str, body: Any, status: Any = 200, **headers: str) -> TestResponse:
        """Send a body, as JSON."""
        return self.web.post_json(
            path, body, headers={"Authorization": self.secret, **headers}, status=status
        )

    def sign_in(self, user: str, token: str = TOKEN, status: Any = 200) -> TestResponse:
        """Use a token."""
        return self.post(AUTHENTICATE, {"user": user, "token": token}, status)

    def ask(self, user: str, status: Any = 200) -> TestResponse:
        """What somebody may see."""
        return self.post(AUTHORISE, {"user": user}, status)

    def reload(self, user: User) -> User:
        """The user as stored now."""
        self.db.rollback()
        self.db.expire_all()
        return self.db.get_one(User, user.id)

    def events(self) -> list[tuple[str, str, str]]:
        """Audit events so far: type, whose, and what else they say."""
        self.db.rollback()
        rows = self.db.scalars(select(AuditableEvent).order_by(AuditableEvent.id))
        return [(row.type, row.target_user, row.new) for row in rows]

    def tasks(self) -> list[tuple[str, dict[str, Any]]]:
        """What was asked of the worker."""
        self.db.rollback()
        rows = self.db.execute(text("SELECT task_name, args FROM procrastinate_jobs ORDER BY id"))
        return [(name, args) for name, args in rows]
