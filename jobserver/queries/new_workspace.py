"""What making a workspace needs to know."""

from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from jobserver.models import Org, Repo, Workspace


def github_organisations(db: Session, org_ids: Iterable[int]) -> list[str]:
    """The organisations at GitHub of these organisations, each once, by name."""
    lists = db.scalars(select(Org.github_orgs).where(Org.id.in_(list(org_ids))).order_by(Org.id))
    found = {name.lower(): name for names in lists for name in names if name.strip()}
    return [found[key] for key in sorted(found)]


def made_before(
    db: Session, *, project_id: int, user_id: int, name: str, repo_url: str, branch: str, purpose: str
) -> bool:
    """Whether the person has made this very workspace already: the form was sent twice."""
    same = (
        select(Workspace.id)
        .join(Repo, Repo.id == Workspace.repo_id)
        .where(
            func.lower(Workspace.name) == name,
            Workspace.project_id == project_id,
            Workspace.created_by_id == user_id,
            func.lower(Repo.url) == repo_url.lower(),
            Workspace.branch == branch,
            Workspace.purpose == purpose,
        )
    )
    return db.scalar(same) is not None
