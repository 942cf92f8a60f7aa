"""Choosing which mails one gets: for each kind, and for each workspace."""

from collections.abc import Mapping

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from jobserver.actions.naming import Malformed
from jobserver.models import MailChoice, MailKind, MailPreference, MutedWorkspace

# What can be chosen for each kind: a mail about a failure is never about a success.
OFFERED: Mapping[MailKind, tuple[MailChoice, ...]] = {
    MailKind.REQUEST_ENDED: (MailChoice.ALWAYS, MailChoice.FAILURES, MailChoice.NEVER),
    MailKind.FIRST_FAILURE: (MailChoice.ALWAYS, MailChoice.NEVER),
}


def choose(db: Session, user_id: int, wanted: Mapping[MailKind, MailChoice]) -> None:
    """Keep when the person wants each of these kinds; :class:`Malformed` for a choice that is not offered."""
    for kind, choice in wanted.items():
        if choice not in OFFERED[kind]:
            raise Malformed(kind, f"cannot be {choice}")
        row = insert(MailPreference).values(user_id=user_id, kind=kind, choice=choice)
        key = [MailPreference.user_id, MailPreference.kind]
        db.execute(row.on_conflict_do_update(index_elements=key, set_={"choice": choice}))


def mute(db: Session, user_id: int, workspace_id: int) -> None:
    """Send the person no more mail about requests in the workspace."""
    row = insert(MutedWorkspace).values(user_id=user_id, workspace_id=workspace_id)
    db.execute(row.on_conflict_do_nothing())


def unmute(db: Session, user_id: int, workspace_id: int) -> None:
    """Send the person mail about the workspace again."""
    db.execute(
        delete(MutedWorkspace).where(
            MutedWorkspace.user_id == user_id, MutedWorkspace.workspace_id == workspace_id
        )
    )
