"""The macro library: every macro of templates/components/, as `ui.<name>(…)` in any template."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, nodes
from markupsafe import Markup

_COMMENTED = re.compile(r"\{#-?(?P<comment>.*?)-?#\}\s*\{%-?\s*macro\s+(?P<name>\w+)", re.DOTALL)
_SIGNATURE = re.compile(r"\{%-?\s*macro\s+(?P<name>\w+)\((?P<arguments>.*?)\)\s*-?%\}", re.DOTALL)


@dataclass(frozen=True)
class Component:
    """A macro as its file declares it."""

    name: str
    file: str
    signature: str
    comment: str
    takes_body: bool


class Library:
    """Finds macros by name, whichever file declares them. Bound in templates as `ui`."""

    def __init__(self, environment: Environment, folder: Path) -> None:
        self._environment = environment
        self.components = {
            c.name: c for path in sorted(folder.glob("*.jinja2")) for c in _declared(environment, path)
        }

    def __getattr__(self, name: str) -> Callable[..., Markup]:
        if name.startswith("_") or name not in self.components:
            raise AttributeError(f"there is no component {name!r}")
        module = self._environment.get_template(f"components/{self.components[name].file}").module
        macro: Callable[..., Markup] = getattr(module, name)
        if not self._environment.auto_reload:
            # Found at once from now on: a page calls hundreds.
            setattr(self, name, macro)
        return macro


def one_of(value: Any, allowed: str, what: str = "variant") -> Any:
    """The value itself if it is one of the words in `allowed`; any other raises ValueError."""
    if value not in allowed.split():
        raise ValueError(f"unknown {what} {value!r}; there are: {allowed}")
    return value


def slug(text: str) -> str:
    """An id made from a heading: "Earlier runs of this action" gives "earlier-runs-of-this-action"."""
    words = re.findall(r"[a-z0-9]+", Markup(text).striptags().lower())  # noqa: S704
    return "-".join(words) or "part"


def _declared(environment: Environment, path: Path) -> Iterator[Component]:
    source = path.read_text(encoding="utf-8")
    comments = {m["name"]: m["comment"].strip() for m in _COMMENTED.finditer(source)}
    signatures = {m["name"]: " ".join(m["arguments"].split()) for m in _SIGNATURE.finditer(source)}
    for macro in environment.parse(source, path.name, str(path)).find_all(nodes.Macro):
        if macro.name.startswith("_"):
            continue
        takes_body = any(n.name == "caller" for n in macro.find_all(nodes.Name))
        yield Component(
            macro.name,
            path.name,
            f"{macro.name}({signatures[macro.name]})",
            comments.get(macro.name, ""),
            takes_body,
        )
