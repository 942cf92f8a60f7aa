"""People at the addresses of snapshots, for tests."""

from typing import Any

from jobserver import models as m
from jobserver.actions import publication
from jobserver.clients.storage import ReleaseStorage
from jobserver.security import tokens
from tests import factories as f
from tests.web import releases
from tests.web.conftest import Browser

NOT_PROVIDED = {"detail": "Authentication credentials were not provided."}
FORGED = {"detail": "CSRF Failed: the header X-CSRFToken is missing or wrong."}


def csrf(web: Browser) -> dict[str, str]:
    """The header that the site's own scripts send."""
    if "csrftoken" not in web.cookies:
        web.get("/404", status="*")
    return {"X-CSRFToken": web.cookies["csrftoken"].strip('"')}


def send(web: Browser, address: str, value: Any = None, **options: Any) -> Any:
    """POST the value as the site's own scripts do."""
    headers = {**csrf(web), **options.pop("headers", {})}
    if value is None:
        return web.post(address, headers=headers, **options)
    return web.post_json(address, value, headers=headers, **options)


class Study(releases.Place):
    """A workspace with one release, and people."""

    release: m.Release
    publisher: m.User
    storage: ReleaseStorage

    @property
    def snapshots(self) -> str:
        """Where drafts are made."""
        return f"/api/v2/workspaces/{self.workspace.name}/snapshots"

    def file(self, name: str, content: bytes = b"a,b\n1,2\n", release: m.Release | None = None) -> Any:
        """A file that was uploaded."""
        return releases.file(release or self.release, name, content, storage=self.storage)

    def draft(self, *files: Any) -> m.Snapshot:
        """A set of files that the developer has asked to be made public."""
        ids = [each.id for each in files or [self.file(f"output/{tokens.new_ulid()}.csv")]]
        snapshot = publication.request_publication(f.current(), self.workspace, ids, self.developer)
        f.current().commit()
        return snapshot

    def published(self, *files: Any) -> m.Snapshot:
        """A set of files that is public."""
        snapshot = self.draft(*files)
        publication.publish(f.current(), snapshot, self.publisher)
        f.current().commit()
        return snapshot


def study(storage: ReleaseStorage) -> Study:
    """Such a workspace."""
    made = Study(**vars(releases.place()))
    made.storage = storage
    made.release = releases.release(made)
    made.publisher = f.UserFactory(roles=["OutputPublisher"])
    return made
