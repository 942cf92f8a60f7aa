"""An Airlock for tests: a backend, a workspace, a checker, and the calls that Airlock makes."""

import hashlib
import json
from typing import Any

from webtest import TestResponse

from jobserver import models as m
from jobserver.security import tokens
from tests import factories as f
from tests.web.conftest import Browser


def announced(name: str = "output/summary.csv", content: bytes = b"a,b\n", **changes: Any) -> dict[str, Any]:
    """A file as Airlock announces it."""
    return {
        "name": name,
        "url": name,
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "date": "2026-11-23T19:41:37.948090+00:00",
        "metadata": {"tool": "airlock"},
        "review": None,
        **changes,
    }


def body_of(*files: dict[str, Any], id_: str | None = None, **changes: Any) -> dict[str, Any]:
    """The body that creates a release."""
    named = {"airlock_id": id_} if id_ else {}
    return {"files": list(files), "metadata": {"tool": "airlock", **named}, "review": None, **changes}


class Releasing:
    """The Airlock of a backend, with a checker who has access to it."""

    def __init__(self, web: Browser, slug: str = "tpp", workspace: m.Workspace | None = None) -> None:
        self.web = web
        self.backend, self.token = f.backend_with_token(slug=slug, name=f"The {slug}")
        self.workspace = workspace or f.WorkspaceFactory(name="study-a")
        self.checker = self.person(["OutputChecker"])
        self.headers = {"Authorization": self.token, "OS-User": self.checker.username}

    def person(self, roles: list[str]) -> m.User:
        """Somebody with access to the backend."""
        user = f.UserFactory(roles=roles)
        f.BackendMembershipFactory(backend=self.backend, user=user)
        return user

    def create(
        self, body: Any, status: Any = 201, workspace: str = "study-a", **headers: str
    ) -> TestResponse:
        """Announce a release."""
        text = body if isinstance(body, str | bytes) else json.dumps(body, separators=(",", ":"))
        return self.web.post(
            f"/api/v2/releases/workspace/{workspace}",
            text,
            headers={**self.headers, "Accept": "application/json", **headers},
            content_type="application/json",
            status=status,
        )

    def release(self, *files: dict[str, Any]) -> str:
        """Announce a release of these files; its id."""
        id_ = tokens.new_ulid()
        self.create(body_of(*files, id_=id_))
        return id_

    def upload(
        self, release: str, name: str, content: bytes, status: Any = 201, **headers: str
    ) -> TestResponse:
        """Send the bytes of a file."""
        return self.web.post(
            f"/api/v2/releases/release/{release}",
            content,
            headers={
                **self.headers,
                "Accept": "application/json",
                "Content-Disposition": f'attachment; filename="{name}"',
                **headers,
            },
            content_type="application/octet-stream",
            status=status,
        )

    def review(self, release: str, body: Any, status: Any = 200, **headers: str) -> TestResponse:
        """Hand in reviews."""
        return self.web.post_json(
            f"/api/v2/releases/release/{release}/reviews",
            body,
            headers={**self.headers, **headers},
            status=status,
        )
