"""Job Server: where researchers ask for analysis code to be run against data they can never see."""

import os
import warnings
from typing import Any

from jobserver.settings import Settings, load

# Pyramid 2.1 still finds its assets through pkg_resources; nobody who runs a command needs to hear of it.
warnings.filterwarnings("ignore", message="pkg_resources is deprecated", category=UserWarning)


def main(_global_config: dict[str, str], **ini_settings: Any) -> Any:
    """The WSGI application, from an ini file's ``[app:main]`` and the environment."""
    return make_app(load(ini_settings, os.environ).settings)


def make_app(settings: Settings, **registry: Any) -> Any:
    """The WSGI application for these settings; ``registry`` may bring an engine or clients."""
    # Pyramid is imported only by who serves pages: the commands start faster without it.
    from pyramid.config import Configurator

    from jobserver import observability

    observability.configure(settings)
    with Configurator(settings={}) as config:
        config.registry["settings"] = settings
        config.registry.update(registry)
        config.include("jobserver.db")
        config.include("jobserver.http")
        config.include("jobserver.security.policy")
        config.include("jobserver.clients")
        config.include("jobserver.templating")
        config.include("jobserver.resources")
        config.include("jobserver.views")
        return config.make_wsgi_app()
