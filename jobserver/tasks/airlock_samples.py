"""An event of a release request with invented data, for looking at what is said of it."""

from datetime import datetime

from jobserver.clients.mail import Message
from jobserver.models.choices import AirlockEventType
from jobserver.queries.release_request_telling import Author, Event
from jobserver.tasks import airlock_mails

UPDATES = {AirlockEventType.APPROVED: ("3 files will be uploaded",)}


def event(event_type: AirlockEventType, author: str, at: datetime) -> Event:
    """The event, of which nobody has been told yet."""
    return Event(
        id=12,
        type=event_type,
        at=at,
        username="checker",
        updates=UPDATES.get(event_type, ()),
        issue_at=None,
        comment_asked_at=None,
        comment_url="",
        slack_at=None,
        mail_at=None,
        is_first=False,
        request_id="01KA8Z5N3R0V7WQ2M4T6Y8B1CD",
        issue_repo="demo-university/output-review",
        issue_number=7,
        issue_asked_at=at,
        path=("demo-university", "asthma-in-adults", "asthma-main"),
        repo_url="https://github.com/demo-university/asthma-study",
        author=Author("researcher", author, "researcher@example.org", is_disabled=False, is_internal=False),
        has_release=True,
        checking_repo="demo-university/output-review",
        channel="opensafely-outputs",
    )


def mail(event_type: AirlockEventType, author: str, at: datetime, base_url: str) -> Message:
    """The mail that the event has sent."""
    return airlock_mails.message(event(event_type, author, at), base_url)
