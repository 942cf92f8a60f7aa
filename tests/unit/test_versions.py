"""The versions of a released file."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from jobserver.models import utcnow
from jobserver.queries.versions import versions_of
from tests import factories as f


def test_versions_are_those_of_the_name_in_the_workspace_and_backend_newest_first(
    db: Session, count_statements: Callable[[], Any]
) -> None:
    now, workspace, backend = utcnow(), f.WorkspaceFactory(), f.BackendFactory()
    here = {"workspace": workspace, "backend": backend}

    def file(days: int, name: str = "output/a.csv", **values: Any) -> Any:
        release = f.ReleaseFactory(created_at=now - timedelta(days=days), **{**here, **values})
        return f.ReleaseFileFactory(release=release, name=name, size=days)

    middle, oldest, newest = file(2), file(3), file(1)
    file(1, name="a.csv")
    file(1, name="output/A.csv")
    file(1, backend=f.BackendFactory())
    file(1, workspace=f.WorkspaceFactory())
    middle.uploaded_at, middle.uploaded_by_id, middle.path = now, middle.created_by_id, "somewhere"
    oldest.uploaded_at, oldest.uploaded_by_id, oldest.path = now, oldest.created_by_id, "elsewhere"
    oldest.deleted_at, oldest.deleted_by_id = now, oldest.created_by_id
    db.commit()
    for file_ in (newest, middle, oldest):
        db.refresh(file_)
        with count_statements() as statements:
            found = versions_of(db, file_)
        assert len(statements) == 1
        assert [each.id for each in found] == [newest.id, middle.id, oldest.id]
    assert [each.is_readable for each in found] == [False, True, False]
    assert [each.size for each in found] == [1, 2, 3]
    assert (found[1].release_id, found[1].released_at) == (middle.release_id, now - timedelta(days=2))
    assert (found[2].sha256, found[2].deleted_at) == (oldest.filehash, now)
