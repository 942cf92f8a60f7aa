"""The bodies the controller accepts, and the first fault of one that it does not, in its own words."""

import re
from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]

_TYPES: dict[str, Any] = {"object": dict, "array": list, "string": str, "boolean": bool}
_RAP_ID: Schema = {"type": "string", "pattern": "^[a-z0-9]{16}$"}
_TEXT: Schema = {"type": "string"}
_YES_OR_NO: Schema = {"type": "boolean"}


def _list_of(items: Schema, **rules: Any) -> Schema:
    return {"type": "array", **rules, "items": items}


def _one_of(*values: str) -> Schema:
    return {"type": "string", "enum": list(values)}


_SCOPE: Schema = {
    "type": "object",
    "properties": {
        "dataset_permissions": _list_of(
            _one_of(
                "appointments",
                "icnarc",
                "isaric",
                "open_prompt",
                "ukrr",
                "waiting_list",
                "sgss_covid_all_tests",
                "occupation_on_covid_vaccine_record",
                "covid_therapeutics",
            )
        ),
        "population_permissions": _list_of(_one_of("include_ndoo", "include_t1oo", "include_gp_unactivated")),
        "component_access": _list_of(_one_of("event_level_data")),
    },
}
_CREATE_PROPERTIES: dict[str, Schema] = {
    "backend": _TEXT,
    "rap_id": _RAP_ID,
    "workspace": {"type": "string", "pattern": "[a-zA-Z0-9_-]+"},
    "repo_url": _TEXT,
    "branch": _TEXT,
    "commit": {"type": "string", "pattern": "^[0-9a-f]{40}$"},
    "database_name": _one_of("default"),
    "requested_actions": _list_of(_TEXT, minItems=1),
    "codelists_ok": _YES_OR_NO,
    "force_run_dependencies": _YES_OR_NO,
    "created_by": _TEXT,
    "project": _TEXT,
    "orgs": _list_of(_TEXT),
}
CREATE: Schema = {
    "type": "object",
    "required": list(_CREATE_PROPERTIES),
    "properties": {**_CREATE_PROPERTIES, "analysis_scope": _SCOPE},
}
CANCEL: Schema = {
    "type": "object",
    "required": ["rap_id", "actions"],
    "properties": {"rap_id": _RAP_ID, "actions": _list_of(_TEXT, minItems=1)},
}
STATUS: Schema = {"type": "object", "required": ["rap_ids"], "properties": {"rap_ids": _list_of(_RAP_ID)}}


def first_fault(value: Any, schema: Schema) -> str | None:
    """The text for ``details`` about the first rule that the body breaks, or None."""
    return next(_faults(value, schema, ""), None)


def _faults(value: Any, schema: Schema, path: str) -> Iterator[str]:
    place = f" at ${path}" if path else ""
    for text in _own_faults(value, schema):
        yield f"Invalid request body received{place}: {text}"
        return
    for name, rule in schema.get("properties", {}).items():
        if name in value:
            yield from _faults(value[name], rule, f"{path}.{name}")
    if "items" in schema:
        for position, item in enumerate(value):
            yield from _faults(item, schema["items"], f"{path}[{position}]")


def _own_faults(value: Any, schema: Schema) -> Iterator[str]:
    kind: str = schema["type"]
    if not isinstance(value, _TYPES[kind]):
        yield f"{value!r} is not of type {kind!r}"
        return
    for name in schema.get("required", []):
        if name not in value:
            yield f"{name!r} is a required property"
    if kind == "array" and len(value) < schema.get("minItems", 0):
        yield f"{value!r} should be non-empty"
    pattern: str = schema.get("pattern", "")
    if kind == "string" and not re.search(pattern, value):
        yield f"{value!r} does not match {pattern!r}"
    allowed: list[str] = schema.get("enum", [value])
    if value not in allowed:
        yield f"{value!r} is not one of {allowed!r}"
