"""Browser pages: HTTP in, a template out. No business rules and no SQL live here."""

from pyramid.config import Configurator

from jobserver.resources import Root


def includeme(config: Configurator) -> None:
    """Load every view below this package, and let the root know the names of its own pages."""
    config.scan("jobserver.views")
    config.commit()
    names = {
        view["introspectable"]["name"]
        for view in config.introspector.get_category("views") or ()
        if view["introspectable"]["context"] is Root
    }
    config.registry["root_view_names"] = frozenset(names - {""})
