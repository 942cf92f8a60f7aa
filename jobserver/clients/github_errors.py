"""What can go wrong with GitHub. The text of each error is a sentence for people."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from github import GithubException, RateLimitExceededException

_LONDON = ZoneInfo("Europe/London")


class GitHubError(Exception):
    """GitHub did not give what was asked for."""


class OrganisationMissing(GitHubError):
    """GitHub knows no such organisation."""

    def __init__(self, name: str) -> None:
        super().__init__(f"GitHub has no organisation {name}.")


class RepositoryMissing(GitHubError):
    """The repository does not exist, or our token may not see it; GitHub does not tell which."""

    def __init__(self, owner: str, name: str) -> None:
        super().__init__(
            f"The repository {owner}/{name} was not found on GitHub. It may be private, renamed or deleted."
        )


class RefMissing(GitHubError):
    """The repository has no such branch, tag or commit."""

    def __init__(self, owner: str, name: str, ref: str) -> None:
        self.ref = ref
        super().__init__(f"The repository {owner}/{name} has no branch, tag or commit “{ref}”.")


class FileMissing(GitHubError):
    """There is no such file at this commit."""

    def __init__(self, path: str, sha: str) -> None:
        self.path = path
        super().__init__(f"There is no file {path} at commit {sha[:7]}.")


class FileUnusable(GitHubError):
    """The file is there but is too large, not text, or no file at all."""

    def __init__(self, path: str, sha: str, fault: str) -> None:
        self.path = path
        super().__init__(f"The file {path} at commit {sha[:7]} cannot be read: {fault}.")


class RateLimited(GitHubError):
    """GitHub takes no more requests from us until ``reset_at`` (aware, UTC)."""

    def __init__(self, reset_at: datetime) -> None:
        self.reset_at = reset_at
        time = f"{reset_at.astimezone(_LONDON):%H:%M}"
        super().__init__(f"GitHub has had too many requests from us. It answers again at {time}.")


class GitHubUnauthorised(GitHubError):
    """GitHub does not accept our token, or the token may not do this: the operators' fault."""

    def __init__(self) -> None:
        super().__init__("GitHub does not let us read this. The people who run this service have to mend it.")


class GitHubUnavailable(GitHubError):
    """GitHub gave no usable answer; ``reason`` is short and for operators."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__("GitHub could not be reached. Try again in a few minutes.")


def translated(
    error: GithubException, missing: GitHubError, too_large: GitHubError | None = None
) -> GitHubError:
    """PyGithub's error as ours; ``missing`` is what 404 and its kin mean for the request.

    ``too_large``: what it means that GitHub does not give out a thing of that size, which it says with a 403.
    """
    headers = {key.lower(): str(value) for key, value in (error.headers or {}).items()}
    if _is_rate_limit(error, headers):
        return RateLimited(_reset_at(headers))
    if error.status in {404, 409, 410, 422, 451}:
        return missing
    if error.status == 403 and too_large is not None and "too_large" in str(error.data):
        return too_large
    if error.status in {401, 403}:
        return GitHubUnauthorised()
    return GitHubUnavailable(f"the answer has status {error.status}")


def _is_rate_limit(error: GithubException, headers: dict[str, str]) -> bool:
    if isinstance(error, RateLimitExceededException) or error.status == 429:
        return True
    if error.status == 403:
        return headers.get("x-ratelimit-remaining") == "0" or "retry-after" in headers
    # GraphQL tells of it in an answer of status 200, which PyGithub turns into a 400.
    errors = error.data.get("errors") if isinstance(error.data, dict) else None
    return isinstance(errors, list) and any(
        isinstance(each, dict) and each.get("type") == "RATE_LIMITED" for each in errors
    )


def _reset_at(headers: dict[str, str]) -> datetime:
    now = datetime.now(UTC)
    try:
        if "retry-after" in headers:
            return now + timedelta(seconds=int(headers["retry-after"]))
        if headers.get("x-ratelimit-remaining") == "0":
            return datetime.fromtimestamp(int(headers["x-ratelimit-reset"]), UTC)
    except (KeyError, ValueError, OverflowError, OSError):
        pass
    # What GitHub advises where it names no time.
    return now + timedelta(minutes=1)
