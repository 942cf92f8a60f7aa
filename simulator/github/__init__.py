"""The simulated GitHub: sign-in, REST API and plain pages, over real git repositories."""

from pyramid.config import Configurator

PUBLIC_URL = "https://github.com"


def includeme(config: Configurator) -> None:
    """Adds all of it."""
    # Sign-in first: its paths would also match a repository's page.
    config.include("simulator.github.oauth")
    config.include("simulator.github.api")
    config.include("simulator.github.pages")
