"""Where the output checkers of an organisation's projects look (spec: airlock 8.4, 12.52)."""

import re

from sqlalchemy.orm import Session

from jobserver.actions import changes
from jobserver.actions.naming import Malformed
from jobserver.actions.users import Person
from jobserver.models import AuditType, Org

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
) -> bool:
    """Change what is given: the repository (``owner/name``), the Slack channel, whether it is internal.

    Empty text means the site's own. Returns whether anything changed. Raises
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
    given = {name: value for name, value in wanted.items() if value is not None}
    return changes.edit(db, org, given, AuditType.ORG_UPDATED, by=by, parent=org)
