"""What each task does. Plain functions: the worker, a test or a command may call them."""

from collections.abc import Callable

from jobserver.queue import Task
from jobserver.rap import cancel, submit
from jobserver.rap.context import Context
from jobserver.tasks import (
    account_mails,
    airlock_issues,
    airlock_mails,
    airlock_posts,
    level4_mails,
    operations,
    publication_mails,
    redactions,
    repo_issues,
    repo_mails,
    repositories,
    request_mails,
    role_mails,
    staff_posts,
    token_mails,
)
from jobserver.tasks.retrying import NotYet


def submit_job_request(context: Context, *, job_request_id: int) -> None:
    """Hand a request to the controller, at once. Without success the status service tries again."""
    submit.submit(context, job_request_id)


def send_cancellation(context: Context, *, cancellation_id: int) -> None:
    """Pass a cancellation on to the controller; the status service tries as well."""
    if cancel.send(context, cancellation_id) is cancel.Outcome.UNKNOWN:
        raise NotYet("the controller gave no usable answer")


DELIVERIES: dict[Task, Callable[..., None]] = {
    Task.SUBMIT_JOB_REQUEST: submit_job_request,
    Task.SEND_CANCELLATION: send_cancellation,
    Task.MAIL_REQUEST_ENDED: request_mails.mail_request_ended,
    Task.MAIL_FIRST_FAILURE: request_mails.mail_first_failure,
    Task.MAIL_EMAIL_CHANGE: account_mails.mail_email_change,
    Task.MAIL_EMAIL_CHANGE_NOTICE: account_mails.mail_email_change_notice,
    Task.ANNOUNCE_NEW_USER: staff_posts.announce_new_user,
    Task.ANNOUNCE_PROJECT: staff_posts.announce_project,
    Task.ANNOUNCE_SUPPORT_ENDS: staff_posts.announce_support_ends,
    Task.CHECK_REPOSITORY: repositories.check_repository,
    Task.MAIL_REPO_SIGNED_OFF: repo_mails.mail_repo_signed_off,
    Task.MAIL_REPO_WITH_OUTPUTS: repo_mails.mail_repo_with_outputs,
    Task.ANNOUNCE_REPO_SIGNED_OFF: staff_posts.announce_repo_signed_off,
    Task.REPO_SIGN_OFF_ISSUE: repo_issues.ask_to_make_public,
    Task.RELEASE_REQUEST_ISSUE: airlock_issues.tell_github,
    Task.RELEASE_REQUEST_POST: airlock_posts.post_to_slack,
    Task.RELEASE_REQUEST_MAIL: airlock_mails.mail_author,
    Task.MAIL_ROLES_GIVEN: role_mails.mail_roles_given,
    Task.MAIL_LEVEL4_TOKEN_CREATED: level4_mails.mail_token_created,
    Task.MAIL_LEVEL4_TOKEN_USED: level4_mails.mail_token_used,
    Task.MAIL_LEVEL4_TOKEN_VOID: level4_mails.mail_token_void,
    Task.MAIL_TOKEN_ENDS: token_mails.mail_token_ends,
    Task.CANCEL_REQUESTS: operations.cancel_requests,
    Task.MAIL_ANNOUNCEMENT: operations.mail_announcement,
    Task.REMOVE_REDACTED_FILE: redactions.remove_redacted_file,
    Task.MAIL_FILE_REDACTED: redactions.mail_file_redacted,
    Task.MAIL_PUBLISH_REQUEST: publication_mails.mail_publish_request,
    Task.MAIL_PUBLISH_DECISION: publication_mails.mail_publish_decision,
}
