"""Absolute links for messages, which are written where no request is at hand."""

from urllib.parse import quote


def link(base_url: str, *segments: object) -> str:
    """The address of the resource at this path, with the final slash that all of them have."""
    path = "/".join(quote(str(segment), safe="") for segment in segments)
    return f"{base_url.rstrip('/')}/{path}/"
