"""What whoever reads the page has chosen for all pages."""

from pyramid.threadlocal import get_current_request


def wants_exact_times() -> bool:
    """Whether times are shown exactly instead of as "9 min ago" (a cookie that the settings page sets).

    The macros see no context; so no page can forget to pass this on. Without a request, as in mails: no.
    """
    request = get_current_request()
    return request is not None and request.cookies.get("times") == "exact"
