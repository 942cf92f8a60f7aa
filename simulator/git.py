"""Real git repositories in the data directory, made at first start from the files of ``studies/``.

Authors and dates are fixed, so that the same files always give the same commits.
"""

import hashlib
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from simulator.config import CommitPlan, RepositoryPlan

TIME_LIMIT = 20
SAFE_REF = re.compile(r"(?!-)[\w./+=,#@-]+")
_ENVIRONMENT = {
    "PATH": os.environ.get("PATH", os.defpath),
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C.UTF-8",
}


@dataclass(frozen=True)
class Commit:
    """One commit, as git records it."""

    sha: str
    tree: str
    parents: list[str]
    author: str
    email: str
    at: datetime
    message: str


@dataclass(frozen=True)
class Entry:
    """One entry of a directory: kind is ``blob`` or ``tree``; size in bytes, 0 for directories."""

    path: str
    kind: str
    sha: str
    size: int


@dataclass(frozen=True)
class FileChange:
    """What two commits make of one file: status as GitHub names it, lines added and removed, the patch."""

    path: str
    status: str
    additions: int
    deletions: int
    patch: str


class Git:
    """One bare repository."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def run(self, *arguments: str, content: bytes | None = None) -> bytes | None:
        """The output of a git command, or None if git refuses it."""
        done = subprocess.run(
            ["git", "--git-dir", str(self.path), *arguments],
            input=content,
            stdin=subprocess.DEVNULL if content is None else None,
            capture_output=True,
            timeout=TIME_LIMIT,
            env=_ENVIRONMENT,
            check=False,
        )
        return done.stdout if done.returncode == 0 else None

    def _lines(self, *arguments: str) -> list[str]:
        output = self.run(*arguments)
        return output.decode().splitlines() if output else []

    def _sha(self, revision: str) -> str | None:
        output = self.run("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
        return output.decode().strip() if output else None

    def branches(self) -> dict[str, str]:
        """Branch names in alphabetical order, each with the commit it points at."""
        return self._refs("heads")

    def tags(self) -> dict[str, str]:
        """Tag names, each with the commit it points at."""
        return self._refs("tags")

    def _refs(self, kind: str) -> dict[str, str]:
        lines = self._lines("for-each-ref", "--format=%(objectname) %(refname)", f"refs/{kind}/")
        pairs = [line.split(" ", 1) for line in lines]
        return {name.removeprefix(f"refs/{kind}/"): sha for sha, name in pairs}

    def branch(self, name: str) -> str | None:
        """The commit that a branch points at."""
        return self._sha(f"refs/heads/{name}") if SAFE_REF.fullmatch(name) else None

    def tag(self, name: str) -> str | None:
        """The commit that a tag points at."""
        return self._sha(f"refs/tags/{name}") if SAFE_REF.fullmatch(name) else None

    def resolve(self, ref: str) -> str | None:
        """The full commit id that a branch, tag, full or short commit id stands for."""
        name = ref.removeprefix("refs/").removeprefix("heads/").removeprefix("tags/")
        found = self.branch(name) or self.tag(name)
        if found:
            return found
        if ref == "HEAD" or re.fullmatch(r"[0-9a-f]{4,40}", ref):
            return self._sha(ref)
        return None

    def is_ancestor(self, commit: str, descendant: str) -> bool:
        """Whether ``descendant`` contains ``commit``."""
        return self.run("merge-base", "--is-ancestor", commit, descendant) is not None

    def merge_base(self, one: str, other: str) -> str | None:
        """The newest commit that both contain."""
        output = self.run("merge-base", one, other)
        return output.decode().strip() if output else None

    def read(self, commit: str, path: str) -> bytes | None:
        """A file's content at a commit, or None if there is no such file."""
        return self.run("cat-file", "blob", f"{commit}:{path}")

    def entry(self, commit: str, path: str) -> Entry | None:
        """A file's or directory's entry at a commit."""
        found = self._entries(commit, path) if path else []
        return found[0] if found else None

    def listing(self, commit: str, path: str) -> list[Entry] | None:
        """What a directory holds at a commit, or None if there is no such directory."""
        if path:
            entry = self.entry(commit, path)
            if entry is None or entry.kind != "tree":
                return None
        return self._entries(commit, f"{path}/" if path else None)

    def _entries(self, commit: str, path: str | None) -> list[Entry]:
        output = self.run("ls-tree", "-l", "-z", commit, *(["--", path] if path else []))
        entries = []
        for line in (output or b"").decode().split("\0")[:-1]:
            about, name = line.split("\t", 1)
            _mode, kind, sha, size = about.split()
            entries.append(Entry(name, kind, sha, 0 if size == "-" else int(size)))
        return entries

    def log(self, revisions: str, limit: int = 250) -> list[Commit]:
        """Commits of a range such as ``a..b`` or of everything up to ``b``, newest first."""
        form = "%H%x00%T%x00%P%x00%an%x00%ae%x00%at%x00%B%x01"
        output = self.run("log", f"--max-count={limit}", f"--format={form}", revisions, "--")
        commits = []
        for record in (output or b"").decode().split("\x01")[:-1]:
            sha, tree, parents, author, email, at, message = record.strip("\n").split("\0")
            when = datetime.fromtimestamp(int(at), UTC)
            commits.append(Commit(sha, tree, parents.split(), author, email, when, message.strip()))
        return commits

    def commit(self, sha: str) -> Commit:
        """What git records of a commit that is known to exist."""
        return self.log(sha, limit=1)[0]

    def changes(self, base: str, head: str) -> list[FileChange]:
        """What ``head`` changes against ``base``, file by file."""
        words = {"A": "added", "D": "removed"}
        changes = []
        for line in self._lines("diff", "--no-renames", "--name-status", base, head):
            letter, path = line.split("\t", 1)
            diff = (self.run("diff", "--no-renames", base, head, "--", path) or b"").decode(errors="replace")
            patch = diff[diff.index("@@") :].rstrip("\n") if "@@" in diff else ""
            lines = patch.splitlines()
            added = sum(text.startswith("+") for text in lines)
            removed = sum(text.startswith("-") for text in lines)
            changes.append(FileChange(path, words.get(letter, "modified"), added, removed, patch))
        return changes


def _selected(directory: Path, plan: CommitPlan) -> list[Path]:
    paths = {path for pattern in plan.files for path in directory.glob(pattern)}
    return sorted(path for path in paths if path.is_file() and "__pycache__" not in path.parts)


def _history(plan: RepositoryPlan, directory: Path) -> bytes:
    """The plan's commits in the language of ``git fast-import``."""
    parts: list[bytes] = []

    def data(content: bytes) -> None:
        parts.append(b"data %d\n%s\n" % (len(content), content))

    known: set[str] = set()
    for commit in plan.commits:
        who = f"{commit.author.name} <{commit.author.email}> {int(commit.at.timestamp())} +0000"
        parts.append(f"commit refs/heads/{commit.branch}\nauthor {who}\ncommitter {who}\n".encode())
        data(commit.message.encode())
        if commit.branch not in known and commit.parent:
            parts.append(f"from refs/heads/{commit.parent}\n".encode())
        known.add(commit.branch)
        parts.extend(f"D {path}\n".encode() for path in commit.remove)
        source = directory / commit.directory
        for path in _selected(source, commit):
            parts.append(f"M 100644 inline {path.relative_to(source).as_posix()}\n".encode())
            data(path.read_bytes())
    for tag, branch in plan.tags.items():
        parts.append(f"reset refs/tags/{tag}\nfrom refs/heads/{branch}\n\n".encode())
    return b"".join(parts)


def prepare(plan: RepositoryPlan, directory: Path, root: Path) -> Git:
    """The repository below ``root``, made (or made anew, if the plan has changed since) from the plan."""
    git = Git(root / f"{plan.name}.git")
    history = _history(plan, directory)
    mark = git.path / "simulator-plan"
    fingerprint = hashlib.sha256(history).hexdigest()
    if mark.exists() and mark.read_text() == fingerprint:
        return git
    shutil.rmtree(git.path, ignore_errors=True)
    git.path.mkdir(parents=True)
    for arguments, content in (
        (("init", "--bare", "--quiet", f"--initial-branch={plan.default_branch}"), None),
        (("fast-import", "--quiet"), history),
    ):
        if git.run(*arguments, content=content) is None:
            raise RuntimeError(f"git could not make the repository {plan.name} in {git.path}.")
    mark.write_text(fingerprint)
    return git
