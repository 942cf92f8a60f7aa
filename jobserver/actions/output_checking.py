"""Where the output checkers of an organisation's projects look (spec: airlock 8.4, 12.52)."""

import re

from sqlalchemy.orm import Session

from jobserver.actions.audit import Actor, record
from jobserver.actions.naming import Malformed
from jobserver.actions.users import Person
from jobserver.models import AuditType, Org, utcnow

_REPO = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/(?!\.\.?$)[A-Za-z0-9._-]+")
_CHANNEL = re.compile(r"[\w.-]{1,80}")


def configure(
    db: Session,
    org: Org,
    *,
    by: Person,
    repo: str | None = None,
    channel: str | None = None,
    is_internal: bool | None = None,
) -> list[str]:
    """Change what is given: the repository (``owner/name``), the Slack channel, whether it is internal.

    Empty text means the site's own. Returns the names of the fields that changed; each is recorded. Raises
    :class:`~jobserver.actions.naming.Malformed`.
    """
    if repo and not _REPO.fullmatch(repo):
        raise Malformed("repository", "is written as owner/name, as on GitHub")
    if channel is not None:
        channel = channel.strip().removeprefix("#")
    if channel and not _CHANNEL.fullmatch(channel):
        raise Malformed("channel", "is the name of a Slack channel")
    wanted = {
        "output_checking_repo": repo,
        "output_checking_channel": channel,
        "is_internal": is_internal,
    }
    changed = [name for name, value in wanted.items() if value is not None and value != getattr(org, name)]
    for name in changed:
        old, new = getattr(org, name), wanted[name]
        setattr(org, name, new)
        record(
            db,
            AuditType.ORG_UPDATED,
            by=by,
            target=org,
            target_field=name,
            parent=org,
            old=str(old),
            new=str(new),
        )
    if changed:
        org.updated_at, org.updated_by_id = utcnow(), Actor.of(by).user_id
    return changed
