"""What holds for every request, whichever view answers it."""

from pyramid.config import Configurator


def includeme(config: Configurator) -> None:
    """Headers and limits outermost, then cookies, then the rules that views are wrapped in."""
    config.include(".tweens")
    config.include(".cookies")
    config.include(".derivers")
    config.include(".page")
