"""What the JSON API is, as data: ``openapi.yaml``, read when it is first asked for."""

import hashlib
import json
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def document() -> dict[str, Any]:
    """The description, OpenAPI 3.1. Nobody may change it."""
    # Only who serves the description pays for the reader.
    from ruamel.yaml import YAML

    text = files(__name__).joinpath("openapi.yaml").read_text(encoding="utf-8")
    described: dict[str, Any] = YAML(typ="safe").load(text)
    # Only there to be repeated within the file.
    del described["x-answers"]
    return described


@cache
def as_json() -> bytes:
    """The same as JSON in UTF-8."""
    return json.dumps(document(), ensure_ascii=False, separators=(",", ":")).encode()


@cache
def etag() -> str:
    """Another value for any other description."""
    return hashlib.sha256(as_json()).hexdigest()[:32]
