"""The gallery at /ui-components/: made from the macros' own comments, so that it cannot drift.

A macro's comment says what it is for, then gives examples: a line `== caption`, and beneath it template text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from jinja2 import Environment
from markupsafe import Markup
from webob.multidict import MultiDict
from wtforms import (
    BooleanField,
    Form,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    validators,
    widgets,
)
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs

from jobserver.templating.charts import Run, memory_chart, run_chart
from jobserver.templating.graph import Action, graph
from jobserver.templating.library import Component, Library
from jobserver.templating.pager import Pager
from jobserver.templating.states import STATES
from jobserver.templating.timeline import scale

NOW = datetime(2026, 11, 17, 14, 32, tzinfo=UTC)
TITLES = {"dl": "Facts", "nav": "Navigation", "note": "Notices", "live": "Live updates"}
_CAPTION = re.compile(r"^== (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Example:
    """A use of a macro: what it shows, its text, and what that gives."""

    caption: str
    code: str
    html: Markup


@dataclass(frozen=True)
class Entry:
    """One macro in the gallery."""

    name: str
    signature: str
    description: Markup
    takes_body: bool
    examples: list[Example]


@dataclass(frozen=True)
class Section:
    """The macros of one file."""

    id: str
    title: str
    entries: list[Entry]


def sections(environment: Environment) -> list[Section]:
    """All macros, by file, with every example rendered."""
    library: Library = environment.globals["ui"]  # type: ignore[assignment]
    by_file: dict[str, list[Component]] = {}
    for component in library.components.values():
        by_file.setdefault(component.file.removesuffix(".jinja2"), []).append(component)
    context = _context()
    return [
        Section(file, TITLES.get(file, file.capitalize()), [_entry(environment, c, context) for c in found])
        for file, found in by_file.items()
    ]


def _entry(environment: Environment, component: Component, context: dict[str, Any]) -> Entry:
    description, *rest = _CAPTION.split(component.comment)
    examples = [
        Example(caption, code.strip(), Markup(environment.from_string(code).render(context)))  # noqa: S704
        for caption, code in _pairs(rest)
    ]
    return Entry(component.name, component.signature, _with_code(description), component.takes_body, examples)


def _with_code(text: str) -> Markup:
    """Words between backticks as code; the rest is plain text."""
    code = Markup("<code>{}</code>")
    parts = (code.format(part) if i % 2 else part for i, part in enumerate(text.split("`")))
    return Markup("").join(parts)


def _pairs(parts: list[str]) -> Iterator[tuple[str, str]]:
    return zip(parts[::2], parts[1::2], strict=True)


class ExampleForm(Form):
    """Fields of each kind, for the examples."""

    name = StringField(
        "Name",
        [
            validators.InputRequired("Give the workspace a name"),
            validators.Regexp(r"^[a-z0-9_-]+$", message="Use a to z, 0 to 9, - and _"),
        ],
        description="Letters, digits, - and _. It cannot be changed later.",
    )
    purpose = TextAreaField(
        "Purpose",
        [validators.Optional(), validators.Length(max=2500)],
        description="One or two sentences that anybody can read. Shown in public.",
    )
    branch = SelectField("Branch", [validators.InputRequired()], choices=[SelectChoice("main")])
    backend = RadioField(
        "Where should it run?",
        [validators.InputRequired()],
        choices=[SelectChoice("tpp", "TPP"), SelectChoice("emis", "EMIS")],
    )
    mail = RadioField(
        "Emails", choices=[SelectChoice("end", "One when a request ends"), SelectChoice("never", "None")]
    )
    force = BooleanField(
        "Run needed actions again, even if they succeeded",
        description="Use this when the data has changed but the code has not.",
    )
    roles = SelectMultipleField(
        "Roles",
        choices=[SelectChoice("checker", "Output checker"), SelectChoice("publisher", "Output publisher")],
        option_widget=widgets.CheckboxInput(),
    )


def _context() -> dict[str, Any]:
    """What examples may use: a moment, forms, a pager, a timeline and graphs."""
    form = ExampleForm(data={"name": "uptake-2026", "backend": "tpp", "mail": "end", "roles": ["checker"]})
    sent = MultiDict({"name": "Uptake 2026", "backend": "tpp", "branch": "trunk", "mail": "end"})
    refused = ExampleForm(sent)
    refused.validate()
    accepted = NOW - timedelta(minutes=70)
    times = scale(accepted, [NOW + timedelta(minutes=45)], NOW)
    return {
        "now": NOW,
        "example_form": form,
        "example_form_refused": refused,
        "example_pager": Pager(2, 57, 25, [("status", "failed")]),
        "example_scale": times,
        "example_bars": times.bars(accepted, accepted + timedelta(minutes=28), None, usual=3120),
        "example_pending_bars": times.bars(
            accepted, None, None, usual=240, expected_start=NOW + timedelta(minutes=40)
        ),
        "example_chart": run_chart(_runs()),
        "example_memory": memory_chart(_runs()),
        "example_graph": graph(_actions()),
        "example_graph_glyphs": graph(_many(90)),
        "example_graph_large": graph(_many(240)),
    }


def _runs() -> list[Run]:
    outcomes = [("succeeded", 3120), ("succeeded", 1860), ("failed", 480), ("nothing_to_do", None)]
    outcomes += [("succeeded", 4800), ("cancelled", 1440), ("failed", 4680), ("running", 4200)]
    used = [11_200, 11_800, 2_100, None, 12_400, 9_000, 15_900, 12_300]
    return [
        Run(str(1035 + i), STATES[s], taken, "#run_chart", memory=used[i], elsewhere=i == 1, current=i == 6)
        for i, (s, taken) in enumerate(outcomes)
    ]


def _actions() -> list[Action]:
    return [
        Action("dataset", STATES["succeeded"], (), "#dependency_graph"),
        Action("measures", STATES["running"], (), "#dependency_graph"),
        Action("clean", STATES["succeeded"], ("dataset",), "#dependency_graph"),
        Action("table_1", STATES["failed"], ("clean",), "#dependency_graph"),
        Action("model_uptake", STATES["running"], ("clean",), "#dependency_graph"),
        Action("report", STATES["pending"], ("table_1", "model_uptake", "measures"), "#dependency_graph"),
    ]


def _many(n: int) -> list[Action]:
    """A study that does the same for many groups: one dataset, a model for each, one report."""
    models = [f"model_{i}" for i in range(n - 2)]
    states = (STATES["succeeded"], STATES["pending"], STATES["pending"])
    return [
        Action("dataset", STATES["succeeded"]),
        *(Action(name, states[i % 3], ("dataset",)) for i, name in enumerate(models)),
        Action("report", STATES["pending"], tuple(models)),
    ]
