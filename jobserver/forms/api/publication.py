"""What is sent to the addresses of snapshots (spec: airlock 6.1)."""

from typing import Annotated

from pydantic import BeforeValidator

from jobserver.forms.api.base import NULL, Body, FilledText, wrong


def _list(value: object) -> list[object]:
    if value is None:
        raise wrong(NULL)
    if not isinstance(value, list):
        raise wrong(f'Expected a list of items but got type "{type(value).__name__}".')
    return value


class ChosenFiles(Body):
    """The files that are to become public, by id."""

    file_ids: Annotated[list[FilledText], BeforeValidator(_list)]
