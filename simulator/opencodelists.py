"""The check that OpenCodelists makes of a study's codelist files (spec: operations 5.2)."""

import json
from typing import Any

from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response


def _listed(text: str) -> list[str]:
    lines = [line.split("#")[0].strip().strip("/") for line in text.splitlines()]
    return [line for line in lines if line]


def judge(codelists: str, manifest: str, stale: list[str]) -> dict[str, Any]:
    """Status ``ok``, or ``error`` with what differs.

    The files are out of date if the manifest does not describe exactly the codelists of the text file, or if
    one of these is in ``stale``, with its version or (every version of it) without.
    """
    wanted = set(_listed(codelists))
    try:
        files = json.loads(manifest)["files"]
        held = {str(about["id"]).strip("/") for about in files.values()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {"status": "error", "data": {"error": "Codelists manifest file invalid"}}
    changed = sorted(name for name in wanted for old in stale if name == old or name.startswith(f"{old}/"))
    added, removed = sorted(wanted - held), sorted(held - wanted)
    if not (added or removed or changed):
        return {"status": "ok"}
    return {"status": "error", "data": {"added": added, "removed": removed, "changed": changed}}


def check(request: Request) -> Response:
    """Answers for the form fields ``codelists`` (the text file) and ``manifest`` (the JSON file)."""
    missing = [name for name in ("codelists", "manifest") if name not in request.POST]
    if missing:
        result: dict[str, Any] = {"status": "error", "data": {"error": f"Missing: {', '.join(missing)}"}}
    else:
        stale = request.world.stale_codelists
        result = judge(request.POST["codelists"], request.POST["manifest"], stale)
    return Response(json.dumps(result).encode(), content_type="application/json", charset="utf-8")


def includeme(config: Configurator) -> None:
    """Adds the check."""
    config.add_route("opencodelists:check", "/opencodelists/api/v1/check/")
    config.add_view(check, route_name="opencodelists:check", request_method="POST")
