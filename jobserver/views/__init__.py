"""Browser pages: HTTP in, a template out. No business rules and no SQL live here."""

from collections import defaultdict
from types import ModuleType
from typing import Any

from pyramid.config import Configurator

from jobserver.resources import JobRequestResource, Root

# Under other names: these of our own modules would take their place.
from jobserver.resources import outputs as file_sets
from jobserver.resources import staff as staff_area
from jobserver.resources.root import CHILDREN


def includeme(config: Configurator) -> None:
    """Load every view below this package, and let the root know the names of its own pages."""
    config.scan("jobserver.views")
    config.include("jobserver.views.api.errors")
    config.commit()
    views = [entry["introspectable"] for entry in config.introspector.get_category("views") or ()]
    at_root = {view["name"] for view in views if view["context"] is Root} - {""}
    # Names of pages, which the tree need not look up as anything else.
    config.registry["root_view_names"] = frozenset(at_root)
    config.registry["job_request_view_names"] = frozenset(
        view["name"] for view in views if view["context"] is JobRequestResource
    )
    config.registry["staff_view_names"] = _names_by_context(views, staff_area)
    config.registry["files_view_names"] = _names_by_context(views, file_sets)
    config.registry["site_pages"] = frozenset(at_root | set(CHILDREN))


def _names_by_context(views: list[Any], module: ModuleType) -> dict[type, set[str]]:
    """Names of pages of the resources of one module, which are no names of things there."""
    found: dict[type, set[str]] = defaultdict(set)
    for view in views:
        if isinstance(view["context"], type) and view["context"].__module__ == module.__name__:
            found[view["context"]].add(view["name"])
    return found
