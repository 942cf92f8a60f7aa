"""``/uploads/``: pictures that staff have given the site (spec: staff 7.4)."""

import re

from pyramid.request import Request

from jobserver.models import Org
from jobserver.resources.base import Resource

LOGOS = "org_logos"
# What a logo of ours is called; those of before may be anything and are not shown.
_LOGO = re.compile(r"[0-9a-f]{64}\.(png|jpg)")


class Uploads(Resource):
    """``/uploads/``."""

    def __getitem__(self, name: str) -> Resource:
        return {LOGOS: Logos}[name](self.request, name, self)


class Logos(Resource):
    """``/uploads/org_logos/``."""

    def __getitem__(self, name: str) -> Resource:
        if not _LOGO.fullmatch(name):
            raise KeyError(name)
        return LogoFile(self.request, name, self)


class LogoFile(Resource):
    """``/uploads/org_logos/<name>``: a file by its name alone; whether it is there is for the view."""

    def __init__(self, request: Request, name: str, parent: Resource) -> None:
        super().__init__(request, name, parent)
        self.path = f"{LOGOS}/{name}"
        self.content_type = "image/png" if name.endswith("png") else "image/jpeg"


def logo_url(org: Org) -> str:
    """The address of the organisation's logo; empty if it has none that is shown."""
    folder, _, name = (org.logo_file or "").partition("/")
    return f"/uploads/{org.logo_file}" if folder == LOGOS and _LOGO.fullmatch(name) else ""
