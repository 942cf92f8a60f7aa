"""Atom feeds (RFC 4287): what a feed holds, and its XML."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from xml.etree import ElementTree as ET

CONTENT_TYPE = "application/atom+xml"
NAMESPACE = "http://www.w3.org/2005/Atom"
# What XML 1.0 has no way to write.
_UNWRITABLE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Entry:
    """One thing that happened. ``id`` never changes; ``link`` leads to more of it; ``kind`` is one word."""

    id: str
    kind: str
    title: str
    summary: str
    author: str
    link: str
    published: datetime
    updated: datetime


@dataclass(frozen=True)
class Feed:
    """What is told, newest first. ``own_link`` is its address, ``link`` that of the page it is about."""

    id: str
    title: str
    subtitle: str
    link: str
    own_link: str
    updated: datetime
    entries: Sequence[Entry]


def tag(host: str, since: datetime, *names: object) -> str:
    """An id for ever (RFC 4151) of something that was made at this time, whatever its address becomes."""
    return f"tag:{host},{since:%Y-%m-%d}:{'/'.join(map(str, names))}"


def atom(feed: Feed) -> bytes:
    """The feed as XML. Characters that XML cannot hold are left out."""
    root = ET.Element("feed", {"xmlns": NAMESPACE, "xml:lang": "en-GB"})
    _texts(root, id=feed.id, title=feed.title, subtitle=feed.subtitle, updated=feed.updated.isoformat())
    ET.SubElement(root, "link", rel="self", type=CONTENT_TYPE, href=feed.own_link)
    ET.SubElement(root, "link", rel="alternate", type="text/html", href=feed.link)
    for entry in feed.entries:
        element = ET.SubElement(root, "entry")
        _texts(
            element,
            id=entry.id,
            title=entry.title,
            updated=entry.updated.isoformat(),
            published=entry.published.isoformat(),
            summary=entry.summary,
        )
        _texts(ET.SubElement(element, "author"), name=entry.author)
        ET.SubElement(element, "link", rel="alternate", type="text/html", href=entry.link)
        ET.SubElement(element, "category", term=entry.kind)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _texts(parent: ET.Element, **texts: str) -> None:
    for name, value in texts.items():
        ET.SubElement(parent, name).text = _UNWRITABLE.sub("", value)
