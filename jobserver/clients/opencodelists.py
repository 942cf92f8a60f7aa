"""OpenCodelists: are the codelists of a study what is published there?"""

from enum import StrEnum
from typing import Self

from jobserver.clients import transport
from jobserver.clients.transport import Limits, NoAnswer, NotJson
from jobserver.settings import Settings

LIMITS = Limits(connect=5, read=20)


class OpenCodelistsUnavailable(Exception):
    """OpenCodelists gave no usable answer; ``reason`` is short and for operators."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__("OpenCodelists cannot be reached at the moment. Try again in a few minutes.")


class CodelistsStatus(StrEnum):
    """Whether the codelists in a study's repository agree with OpenCodelists."""

    OK = "ok"
    STALE = "stale"


class OpenCodelistsClient:
    """Speaks to OpenCodelists, without credentials. Threads may share it."""

    def __init__(self, url: str, *, limits: Limits = LIMITS) -> None:
        self._url = url.rstrip("/") + "/api/v1/check/"
        self._session = transport.limited_session(limits)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The OpenCodelists that the settings name."""
        return cls(settings.opencodelists_url)

    def check(self, codelists_txt: str, manifest_json: str) -> CodelistsStatus:
        """Compare ``codelists/codelists.txt`` and ``codelists/codelists.json`` with what is published.

        Raises :class:`OpenCodelistsUnavailable` when there is no clear answer.
        """
        try:
            answer = transport.exchange(
                self._session,
                "POST",
                self._url,
                data={"codelists": codelists_txt, "manifest": manifest_json},
            )
            status = answer.fields().get("status")
        except NoAnswer as error:
            raise OpenCodelistsUnavailable(error.reason) from error
        except NotJson as error:
            raise OpenCodelistsUnavailable(
                f"the answer has status {answer.status} but is not JSON"
            ) from error
        if answer.status != 200:
            raise OpenCodelistsUnavailable(f"the answer has status {answer.status}")
        if not isinstance(status, str):
            raise OpenCodelistsUnavailable("the answer does not say whether the codelists are up to date")
        return CodelistsStatus.OK if status == "ok" else CodelistsStatus.STALE
