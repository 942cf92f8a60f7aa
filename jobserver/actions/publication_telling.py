"""Who learns of wishes to publish and of what was decided; nobody of their own act (spec: airlock 12.39)."""

from sqlalchemy import any_, literal, or_, select
from sqlalchemy.orm import Session

from jobserver import queue
from jobserver.models import PublishRequest, User
from jobserver.security.permissions import Permission
from jobserver.security.roles import roles_granting


def tell_publishers(db: Session, request: PublishRequest, *, by_id: int) -> None:
    """Have everybody told who can decide it. The request must have its id."""
    roles = roles_granting(Permission.SNAPSHOT_PUBLISH)
    everybody = select(User.id).where(
        or_(*[literal(role.value) == any_(User.roles) for role in roles]),
        User.id != by_id,
        User.disabled_at.is_(None),
        User.email.is_not(None),
    )
    for user_id in db.scalars(everybody.order_by(User.id)):
        queue.defer(db, queue.Task.MAIL_PUBLISH_REQUEST, publish_request_id=request.id, user_id=user_id)


def tell_requester(db: Session, request: PublishRequest, outcome: str, *, by_id: int) -> None:
    """Have whoever asked told what became of it: ``approved``, ``rejected`` or ``unpublished``."""
    if request.created_by_id == by_id:
        return
    queue.defer(
        db,
        queue.Task.MAIL_PUBLISH_DECISION,
        publish_request_id=request.id,
        user_id=request.created_by_id,
        outcome=outcome,
    )
