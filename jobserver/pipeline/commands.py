"""The `run` text of an action, split as a shell would (spec: rap 8, rule 14)."""

import re
import shlex
from dataclasses import dataclass

VERSION = r"(?:v[0-9.]+(?:-pre)?|dev|latest)"
MAX_CHARACTERS = 100_000
_IMAGE = re.compile(rf"([^:\s]+):({VERSION})")

# Image -> second words that read the database; None: whatever the second word is.
_READS_DATABASE: dict[str, frozenset[str] | None] = {
    "ehrql": frozenset({"generate-dataset", "generate-measures"}),
    "sqlrunner": None,
    "cohortextractor": frozenset({"generate_cohort", "generate_codelist_report"}),
    "databuilder": frozenset({"generate-dataset"}),
}


class CommandInvalid(ValueError):
    """The text is not a command; the message says why, to follow "The command of action `a` "."""


@dataclass(frozen=True)
class Command:
    """A command: its text as written, its words, and the name and version of the image it runs in."""

    text: str
    words: tuple[str, ...]
    image: str
    version: str

    @property
    def verb(self) -> str:
        """The second word, or nothing."""
        return self.words[1] if len(self.words) > 1 else ""

    @property
    def reads_database(self) -> bool:
        """Whether the first two words say that patient data are read."""
        if self.image not in _READS_DATABASE:
            return False
        verbs = _READS_DATABASE[self.image]
        return verbs is None or self.verb in verbs

    def option(self, name: str) -> str | None:
        """The value of `--name value` or `--name=value`, the last one if repeated."""
        found = None
        for word, following in zip(self.words, (*self.words[1:], None), strict=True):
            if word == name:
                found = following
            elif word.startswith(f"{name}="):
                found = word.partition("=")[2]
        return found


def split(text: str) -> Command:
    """Split the text of `run`; raises CommandInvalid."""
    if not text.strip():
        raise CommandInvalid("is empty; start it with an image and version, such as `python:v2`.")
    if len(text) > MAX_CHARACTERS:  # splitting takes time that grows with the square of the length
        raise CommandInvalid(f"is longer than {MAX_CHARACTERS:,} characters.")
    try:
        words = tuple(shlex.split(text))
    except ValueError:
        raise CommandInvalid(r"has an unclosed quote, or ends in `\`.") from None
    match = _IMAGE.fullmatch(words[0]) if words else None
    if match is None:
        raise CommandInvalid("must start with an image and version, such as `python:v2`.")
    return Command(text, words, match[1], match[2])
