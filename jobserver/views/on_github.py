"""Addresses of GitHub's pages about a repository."""

from urllib.parse import quote

from jobserver.models import Repo
from jobserver.settings import Settings


class OnGithub:
    """The pages of one repository; ``url`` is its front page."""

    def __init__(self, settings: Settings, repo: Repo) -> None:
        self.url = f"{settings.github_url.rstrip('/')}/{repo.owner}/{repo.name}"

    def tree(self, sha: str) -> str:
        """The files at a commit or branch, or the front page if that is not known."""
        return f"{self.url}/tree/{quote(sha)}" if sha else self.url

    def commit(self, sha: str) -> str:
        """One commit."""
        return f"{self.url}/commit/{sha}" if sha else self.url

    def file(self, sha: str, path: str) -> str:
        """One file at a commit or branch."""
        return f"{self.url}/blob/{quote(sha)}/{quote(path)}"

    def project_yaml(self, sha: str) -> str:
        """``project.yaml`` at a commit."""
        return f"{self.url}/blob/{sha}/project.yaml" if sha else self.url

    def compare(self, older: str, newer: str) -> str | None:
        """What changed from one commit to another; None if there is nothing to compare."""
        return f"{self.url}/compare/{older}..{newer}" if older and newer and older != newer else None
