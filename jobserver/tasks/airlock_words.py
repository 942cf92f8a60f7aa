"""What is said of release requests on GitHub and in Slack (spec: airlock 8.5).

Whatever people wrote is shown as they wrote it: it makes no markup, no link and calls nobody.
"""

import re
from collections.abc import Iterable

from jobserver.clients.github_issues import LONGEST_BODY, LONGEST_TITLE
from jobserver.queries.release_request_telling import Event
from jobserver.queries.release_requests import IssueStep
from jobserver.tasks.letters import one_line
from jobserver.tasks.links import link

LONGEST_POST = 3_000
_INVISIBLE = "\u200b"
_MARKUP = re.compile(r"[\\`*_{}\[\]()<>~|!&]")
# What makes a list, a heading, a quotation or a rule at the beginning of a line.
_BEGINNING = re.compile(r"^(\d{1,9}(?=[.)])|(?=[-+=#>]))")
_MENTION = re.compile(r"[@#]")
_ADDRESS = re.compile(r"(?i)(://|\bwww\.)")


def title(event: Event) -> str:
    """The issue's title, by which it can be found: the workspace and the request's id."""
    room = LONGEST_TITLE - len(event.request_id) - 1
    return one_line(f"{event.workspace[:room]} {event.request_id}")


def marker(event: Event) -> str:
    """What tells the comment of this event from all others; nobody sees it."""
    return f"<!-- event:{event.id} -->"


def issue_body(event: Event, base_url: str) -> str:
    """The text of a new issue."""
    author, workspace = event.author, link(base_url, *event.path)
    staff = link(base_url, "staff", "users", author.username)
    request = link(base_url, *event.path, "release-requests", event.request_id)
    repository = event.repo_url.rstrip("/").rpartition("/")[2]
    lines = [
        f"- Requested by: [{markdown(author.fullname)}]({staff})",
        f"- Release request: [{markdown(event.request_id)}]({request})",
        f"- Repository: [{markdown(repository)}]({event.repo_url})",
        f"- Workspace: [{markdown(event.workspace)}]({workspace})",
        "",
        "React to this issue with :eyes: when you start your review, and with :+1: when it is done.",
    ]
    return "\n".join(lines)


def comment(event: Event) -> str:
    """The comment of an event: what happened, by whom, and every line that came with it."""
    if event.step.issue is IssueStep.CLOSE:
        head = f"**The issue is closed**: {_closing(event)}"
        lines: list[str] = []
    else:
        head, lines = "**The release request was updated**", [_happened(event)]
    told = [f"- {markdown(each)}" for each in [*lines, *event.updates]]
    room = LONGEST_BODY - 1_000 - len(head)
    return "\n".join([head, "", *_within(told, room, "- and {} more"), "", marker(event)])


def _happened(event: Event) -> str:
    return f"{event.step.words} by user {event.username}"


def _closing(event: Event) -> str:
    words = f"request {event.step.words.lower()}"
    return f"{words} by user {markdown(event.username)}"


def post(event: Event, url: str) -> str:
    """The message to Slack; without ``url`` GitHub could not be reached."""
    name = slack(title(event))
    linked, bare = f"<{url}|{name}> was updated", f"{name} was updated (GitHub could not be reached)"
    told = [f"• {slack(each)}" for each in [_happened(event), *event.updates]]
    return "\n".join([linked if url else bare, *_within(told, LONGEST_POST, "• and {} more")])


def markdown(text: str) -> str:
    """The text as Markdown shows it, on one line."""
    text = _MARKUP.sub(r"\\\g<0>", one_line(text))
    text = _BEGINNING.sub(r"\1\\", text)
    text = _ADDRESS.sub(lambda found: found[0].replace(":", r"\:").replace(".", r"\."), text)
    return _MENTION.sub(rf"\g<0>{_INVISIBLE}", text)


def slack(text: str) -> str:
    """The text without what Slack would read as markup, on one line."""
    return one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _within(lines: Iterable[str], room: int, rest: str) -> list[str]:
    """As many of the lines as there is room for; how many there are more."""
    kept: list[str] = []
    every = list(lines)
    for line in every:
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    left = len(every) - len(kept)
    return [*kept, rest.format(left)] if left else kept
