"""What whoever reads the pages has chosen for this browser: kept in its cookies, not in the account."""

from collections.abc import Mapping
from dataclasses import dataclass

from pyramid.threadlocal import get_current_request

THEMES = ("light", "dark")


@dataclass(frozen=True)
class Preferences:
    """The colour theme (None follows the system), exact times at rest, and shortcuts by single keys."""

    theme: str | None = None
    exact_times: bool = False
    single_keys: bool = True

    @classmethod
    def read(cls, cookies: Mapping[str, str]) -> "Preferences":
        """What the cookies say; what they do not say is as if nothing had been chosen."""
        theme = cookies.get("theme")
        return cls(
            theme if theme in THEMES else None, cookies.get("times") == "exact", cookies.get("keys") != "off"
        )

    def cookies(self) -> dict[str, str]:
        """The cookies that say it, by name."""
        return {
            "theme": self.theme or "system",
            "times": "exact" if self.exact_times else "relative",
            "keys": "on" if self.single_keys else "off",
        }


def wants_exact_times() -> bool:
    """Whether times are shown exactly instead of as "9 min ago".

    The macros see no context; so no page can forget to pass this on. Without a request, as in mails: no.
    """
    request = get_current_request()
    return request is not None and Preferences.read(request.cookies).exact_times
