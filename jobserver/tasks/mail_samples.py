"""Every mail with invented data, for looking at the templates in development."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from jobserver.actions.settings import Invitation
from jobserver.clients.mail import Message
from jobserver.models import (
    Backend,
    JobState,
    Org,
    PersonalToken,
    Project,
    Release,
    ReleaseFile,
    Repo,
    Role,
    SiteAlert,
    User,
    Workspace,
)
from jobserver.models.choices import AirlockEventType
from jobserver.queries.publication_telling import Told
from jobserver.tasks import (
    account_mails,
    airlock_samples,
    level4_mails,
    mails,
    operations,
    publication_mails,
    redactions,
    repo_mails,
    role_mails,
    token_mails,
)
from jobserver.tasks.links import link
from jobserver.tasks.mails import Digest, JobLine

NAME = "Zoë O’Hara & <b>Co</b>"
MOMENT = datetime(2026, 11, 17, 14, 32, tzinfo=UTC)


@dataclass(frozen=True)
class Sample:
    """A mail to look at: who gets it and when, and how to make it from the site's address."""

    when: str
    make: Callable[[str], Message]


def _digest(base_url: str) -> Digest:
    path = ("demo-university", "asthma-in-adults", "asthma-main", 1042)

    def line(action: str, state: JobState, sentence: str, lasted: str, log: str = "") -> JobLine:
        url = link(base_url, *path, f"kzwjyydmfxcvb3{len(action):02}")
        return JobLine(action, state, url, sentence, lasted, log)

    stopped = "Your code stopped with an error"
    succeeded = [line(f"table_{n}", JobState.SUCCEEDED, "", "1 h 10 min") for n in range(1, 31)]
    return Digest(
        id=1042,
        outcome="failed",
        lasted="2 h 5 min",
        backend="TPP",
        workspace="asthma-main",
        email="researcher@example.org",
        fullname=NAME,
        url=link(base_url, *path),
        compare_url=link(base_url, *path, "compare"),
        settings_url=link(base_url, "settings", "notifications"),
        jobs=(
            line("model_uptake_cox", JobState.FAILED, stopped, "41 min", "metadata/model_uptake_cox.log"),
            line("render_report", JobState.FAILED, "Never started: it needs model_uptake_cox", ""),
            *succeeded,
        ),
    )


def _request_ended(base_url: str) -> Message:
    return mails.request_ended(_digest(base_url))


def _first_failure(base_url: str) -> Message:
    digest = _digest(base_url)
    going_on = replace(digest, outcome="running", lasted="", jobs=(digest.jobs[0], *digest.jobs[2:]))
    message = mails.first_failure(going_on, digest_follows=True)
    if message is None:
        raise ValueError("the sample has a failed job")
    return message


def _email_change(base_url: str) -> Message:
    invitation = Invitation("researcher", NAME, "new@example.org", "a-sample-that-opens-nothing", MOMENT)
    return account_mails.invite(invitation, base_url)


def _email_change_notice(base_url: str) -> Message:
    old, new = "old@example.org", "new@example.org"
    return account_mails.tell_old_address("researcher", NAME, old, new, MOMENT, base_url)


def _owner() -> User:
    return User(username="researcher", fullname=NAME, email="researcher@example.org")


def _level4_token_created(base_url: str) -> Message:
    return level4_mails.token_created(_owner(), MOMENT, base_url)


def _level4_token_used(base_url: str) -> Message:
    return level4_mails.token_used(_owner(), "TPP", MOMENT, base_url)


def _level4_token_void(base_url: str) -> Message:
    return level4_mails.token_void(_owner(), "TPP", MOMENT, base_url)


def _token_ends(base_url: str) -> Message:
    token = PersonalToken(name="Nightly report", expires_at=MOMENT, last_used_at=MOMENT - timedelta(days=14))
    return token_mails.token_ends(_owner(), token, base_url)


def _announcement(base_url: str) -> Message:
    alert = SiteAlert(
        title="TPP is out of reach",
        message="A network fault keeps TPP from us. *Running jobs go on.*\n\nWe say more at 16:00.",
    )
    return operations.announcement(_owner(), Backend(name="TPP"), alert, base_url)


def _roles_given(base_url: str) -> Message:
    boss = User(username="staff-1", fullname=NAME, email="staff@example.org")
    roles = [Role.OUTPUT_CHECKER, Role.TECH_SUPPORT]
    return role_mails.roles_given(boss, _owner(), roles, "staff-2", "Joins the checkers", MOMENT, base_url)


def _file_redacted(base_url: str) -> Message:
    project = Project(slug="asthma-in-adults", org=Org(slug="demo-university"))
    release = Release(
        id="01JCY0DPNM4T5V6W7X8Y9ZABCD",
        created_at=MOMENT,
        workspace=Workspace(name="asthma-main", project=project),
    )
    file = ReleaseFile(
        name="output/tables/uptake by <region> & age.csv",
        deleted_at=MOMENT,
        deleted_reason="Two cells count fewer than 8 people & can be found by <subtraction>.",
        release=release,
    )
    return redactions.file_redacted(_owner(), file, "Checker One", base_url)


def _signed_off() -> tuple[Repo, User]:
    signer = User(username="researcher-2", fullname=NAME, email="second@example.org")
    return Repo(url="https://github.com/opensafely/asthma-in-adults"), signer


def _repo_signed_off(base_url: str) -> Message:
    return repo_mails.to_researcher(_owner(), *_signed_off(), "publications@example.org", base_url)


def _repo_with_outputs(base_url: str) -> Message:
    numbers = ["148", "POS-2025-2001"]
    return repo_mails.to_publications("publications@example.org", *_signed_off(), numbers, base_url)


def _wish(decision: str | None = None) -> Told:
    return Told(
        snapshot_id=7,
        title="Vaccine uptake by <region> & age",
        decision=decision,
        asked_by=NAME,
        decided_by="Publisher One",
        reason="Table 2 has two cells below 8 & <rounding> hides neither.\nRound to 5.",
        files=12,
        size=3_200_000,
        project="Asthma in adults",
        path=("demo-university", "asthma-in-adults", "asthma-main"),
    )


def _publish_request(base_url: str) -> Message:
    publisher = User(username="publisher", fullname="Publisher One", email="publisher@example.org")
    return publication_mails.asked(_wish(), publisher, base_url)


def _publish_decision(base_url: str) -> Message:
    return publication_mails.decided(_wish("rejected"), "rejected", _owner(), base_url)


def _release_request(event_type: AirlockEventType) -> Callable[[str], Message]:
    return lambda base_url: airlock_samples.mail(event_type, NAME, MOMENT, base_url)


SAMPLES: Mapping[str, Sample] = {
    "request_ended": Sample("To the requester, when all jobs of a request have ended", _request_ended),
    "first_failure": Sample("To the requester, when the first job has failed", _first_failure),
    "email_change": Sample("To a new address, to have it confirmed", _email_change),
    "email_change_notice": Sample("To the old address, when a change is asked for", _email_change_notice),
    "level4_token_created": Sample("To whoever has made a Level 4 token", _level4_token_created),
    "level4_token_used": Sample("To the owner of a Level 4 token that was used", _level4_token_used),
    "level4_token_void": Sample(
        "To the owner of a Level 4 token that wrong tries have ended", _level4_token_void
    ),
    "token_ends": Sample("To the owner of a token for programs, 14 days before its end", _token_ends),
    "announcement": Sample("To whoever has a request going on at a backend in trouble", _announcement),
    "roles_given": Sample(
        "To somebody who was given a role that reaches every project, and to the administrators", _roles_given
    ),
    "file_redacted": Sample(
        "To the developers of a project, when a released file was redacted", _file_redacted
    ),
    "repo_signed_off": Sample(
        "To whoever made a workspace of a repository, when a researcher has signed it off", _repo_signed_off
    ),
    "repo_with_outputs": Sample(
        "To the publications team, when a researcher has signed off a repository with outputs on GitHub",
        _repo_with_outputs,
    ),
    "publish_request": Sample(
        "To the output publishers, when somebody asks for outputs to be public", _publish_request
    ),
    "publish_decision": Sample(
        "To whoever asked, when outputs were published, or were not, or are public no longer",
        _publish_decision,
    ),
    "release_request_approved": Sample(
        "To the author of a release request, when checkers have approved it",
        _release_request(AirlockEventType.APPROVED),
    ),
    "release_request_rejected": Sample(
        "To the author of a release request, when checkers have rejected it",
        _release_request(AirlockEventType.REJECTED),
    ),
    "release_request_released": Sample(
        "To the author of a release request, when its last file is there",
        _release_request(AirlockEventType.RELEASED),
    ),
    "release_request_returned": Sample(
        "To the author of a release request, when checkers have returned it",
        _release_request(AirlockEventType.RETURNED),
    ),
}
