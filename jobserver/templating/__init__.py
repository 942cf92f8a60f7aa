"""Templates: Jinja2 with the macro library (`ui`), words for times and states, and the built front end.

`config.include("jobserver.templating")` sets up the `.jinja2` renderer and `/static/`.
"""

from pathlib import Path

import pyramid_jinja2
from jinja2 import Environment
from pyramid.config import Configurator
from pyramid.registry import Registry
from pyramid_jinja2 import IJinja2Environment

from jobserver.templating import (
    forms,
    graph,
    highlight,
    markdown,
    numbers,
    preferences,
    progress,
    sentences,
    states,
    timeline,
    times,
)
from jobserver.templating.assets import Manifest
from jobserver.templating.icons import Icons
from jobserver.templating.library import Library, one_of, slug

PACKAGE = Path(__file__).parent.parent
TEMPLATES = PACKAGE / "templates"
DIST = PACKAGE / "static" / "dist"
YEAR, MINUTE = 31_536_000, 60


def includeme(config: Configurator) -> None:
    """Register the renderer, then the static files: built ones for a year, all others for a minute."""
    settings = config.get_settings()
    settings.setdefault("jinja2.undefined", "strict")
    settings.setdefault("jinja2.trim_blocks", "true")
    settings.setdefault("jinja2.lstrip_blocks", "true")
    settings.setdefault("jinja2.directories", str(TEMPLATES))
    config.include(pyramid_jinja2)
    # The environment exists only after the renderer's own action has run.
    config.action(None, _equip, args=(config,), order=10_000)
    config.add_static_view(
        "static/dist", "jobserver:static/dist", cache_max_age=YEAR, content_encodings=["gzip"]
    )
    config.add_static_view("static", "jobserver:static", cache_max_age=MINUTE)


def environment(registry: Registry) -> Environment:
    """The Jinja2 environment of the application, once its configuration is complete."""
    found: Environment = registry.getUtility(IJinja2Environment, name=".jinja2")
    return found


def _equip(config: Configurator) -> None:
    env: Environment = config.get_jinja2_environment()
    icons, manifest = Icons.load(DIST), Manifest.load(DIST)
    env.filters.update(
        ago=times.ago,
        exact=times.exact,
        clock=times.clock,
        day=times.day,
        until=times.until,
        duration=times.duration,
        number=numbers.number,
        filesize=numbers.filesize,
        count_of=numbers.count,
        one_of=one_of,
        slug=slug,
        symbols_in=icons.symbols_in,
        yaml=highlight.yaml,
        markdown=markdown.markdown,
    )
    env.globals.update(
        ui=Library(env, TEMPLATES / "components"),
        glyph=icons.use,
        asset=manifest.asset,
        STATES=states.STATES,
        PROJECT_STATES=states.PROJECT_STATES,
        APPLICATION_STATES=states.APPLICATION_STATES,
        state_of=states.state_of,
        wants_exact_times=preferences.wants_exact_times,
        job_sentence=sentences.job_sentence,
        control_attributes=forms.control_attributes,
        progress_segments=progress.segments,
        progress_finished=progress.finished,
        history_marks=progress.history,
        history_width=progress.history_width,
        history_sentence=progress.history_sentence,
        lay_out_graph=graph.graph,
        timeline_scale=timeline.scale,
    )
