"""An audit event as it is shown: who did what to what, and what became of each field (spec: staff 15.3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup
from pyramid.traversal import quote_path_segment

from jobserver.models.choices import AuditSource
from jobserver.templating.trail_kinds import Kind, kind_of

BY = {
    AuditSource.BROWSER: "in a browser",
    AuditSource.COMMAND: "by a command",
    AuditSource.API: "through the API",
    AuditSource.SERVICE: "by the service itself",
}


@dataclass(frozen=True)
class Ref:
    """Something that an event speaks of: what it was called then, what it is called now if that is another.

    ``path`` leads to its page; there is none if the thing is gone.
    """

    kind: str
    label: str = ""
    now: str = ""
    path: Sequence[str] = ()

    def __html__(self) -> str:
        """As it stands in a sentence."""
        name = self.label or self.now or _generic(self.kind)
        text = Markup.escape(name)
        if self.path:
            href = "/" + "".join(f"{quote_path_segment(each)}/" for each in self.path)
            text = Markup('<a href="{}">{}</a>').format(href, name)
        renamed = self.label and self.now and self.now != self.label
        return text + Markup(" (now {})").format(self.now) if renamed else text


@dataclass(frozen=True)
class Line:
    """What became of one field: what went and what came."""

    field: str
    removed: Sequence[str] = ()
    added: Sequence[str] = ()


@dataclass(frozen=True)
class Event:
    """An event of the audit trail as it is shown."""

    id: int
    type: str
    at: datetime
    actor: Ref
    user: Ref
    target: Ref
    parent: Ref
    lines: Sequence[Line] = ()
    reason: str = ""
    source: str = AuditSource.SERVICE

    @property
    def by(self) -> str:
        """What the change was made by, in words."""
        return BY.get(AuditSource(self.source), self.source) if self.source in set(AuditSource) else ""

    @property
    def kind(self) -> Kind:
        """What kind of event it is; one that we do not know is called what it is stored as."""
        return kind_of(self.type)

    @property
    def sentence(self) -> Markup:
        """Who did what to what."""
        return Markup.escape(self.kind.words).format(
            actor=self.actor, user=self.user, target=self.target, parent=self.parent
        )


def _generic(kind: str) -> str:
    words = "".join(f" {each.lower()}" if each.isupper() else each for each in kind).strip()
    if not words:
        return "somebody"
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"
