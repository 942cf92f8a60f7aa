"""The way to a page below a project or a workspace, the same on all of them."""

from typing import Any

from pyramid.request import Request

from jobserver.resources.links import page_url


def breadcrumbs(context: Any, request: Request, *ends: Any) -> list[Any]:
    """The way to a project or a workspace, and on to what is below it: ``ends`` come after that."""
    project = (context.org.slug, context.project.slug)
    way: list[Any] = [
        (context.org.name, page_url(request, *project[:1])),
        (context.project.name, page_url(request, *project)),
    ]
    workspace = getattr(context, "workspace", None)
    if workspace is not None:
        way.append((workspace.name, page_url(request, *project, workspace.name), "mono"))
    return [*way, *ends]
