"""Times and durations in words. Times are aware datetimes; they are shown in London time."""

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
MINUTE, HOUR, DAY = 60, 3600, 86400
# Up to here a time of day is said as a distance ("4 hours ago"), after it as "today at 09:14".
HOURS_SAID_AS_DISTANCE = 6
# Of days that anybody can mean: others are slips of the hand.
FIRST_YEAR, LAST_YEAR = 2000, 2100
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def utcnow() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


def clock(moment: datetime) -> str:
    """The time of day, "14:21"."""
    return f"{moment.astimezone(LONDON):%H:%M}"


def day(moment: datetime) -> str:
    """The calendar day, "15 Nov 2026"."""
    return day_in_words(moment.astimezone(LONDON).date())


def day_in_words(of: date) -> str:
    """A calendar day, "15 Nov 2026"."""
    return f"{of.day} {of:%b %Y}"


def day_of(text: str) -> date | None:
    """The calendar day that "2026-11-17" is; None for anything else, and for years far away."""
    try:
        found = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None
    return found if found and FIRST_YEAR <= found.year <= LAST_YEAR else None


def fault_of_day(text: str) -> str:
    """What is wrong with a day that was typed; empty if nothing is."""
    cure = f"Enter a day from {FIRST_YEAR} to {LAST_YEAR} as year-month-day: 2026-11-17."
    return "" if day_of(text) else cure


def start_of_day(first: date) -> datetime:
    """The moment at which the calendar day begins."""
    return datetime.combine(first, time(), LONDON)


def end_of_day(last: date) -> datetime:
    """The moment at which the calendar day is over."""
    return start_of_day(last + timedelta(days=1))


def last_day(end: datetime) -> date:
    """The calendar day with which something ends, of which :func:`end_of_day` gave the end."""
    return (end - timedelta(microseconds=1)).astimezone(LONDON).date()


def until(end: datetime) -> str:
    """The calendar day with which something ends, "31 Dec 2026"."""
    return day(end - timedelta(microseconds=1))


def exact(moment: datetime) -> str:
    """The full time with its zone, "17 Nov 2026, 13:21:40 GMT"."""
    local = moment.astimezone(LONDON)
    return f"{local.day} {local:%b %Y, %H:%M:%S %Z}"


def ago(moment: datetime, now: datetime | None = None) -> str:
    """How long ago, or how far ahead, in words; from a week on, the calendar day.

    "just now", "9 min ago", "3 hours ago", "today at 09:14", "yesterday", "5 days ago", "15 Nov 2026";
    ahead of now "in 9 min", "in 3 hours", "today at 18:00", "tomorrow", "in 5 days".
    """
    now = now or utcnow()
    seconds = (now - moment).total_seconds()
    distance = abs(seconds)
    if distance < MINUTE:
        return "just now"
    if distance < HOUR:
        return _placed(f"{int(distance // MINUTE)} min", seconds)
    if distance < HOURS_SAID_AS_DISTANCE * HOUR:
        return _placed(_count(int(distance // HOUR), "hour"), seconds)
    days = (now.astimezone(LONDON).date() - moment.astimezone(LONDON).date()).days
    if days == 0:
        return f"today at {clock(moment)}"
    if abs(days) == 1:
        return "yesterday" if days == 1 else "tomorrow"
    if abs(days) < 7:
        return _placed(_count(abs(days), "day"), seconds)
    return day(moment)


def duration(length: float | timedelta | None, *, with_seconds: bool = False) -> str:
    """A length of time (seconds or a timedelta): "under 1 min", "41 min", "1 h 10 min", "2 d 3 h".

    With seconds, for the page of one job: "41 min 12 s", "1 h 1 min 12 s". Nothing known: "–".
    """
    if length is None:
        return "–"
    total = int(length.total_seconds() if isinstance(length, timedelta) else length)
    total = max(total, 0)
    days, rest = divmod(total, DAY)
    hours, rest = divmod(rest, HOUR)
    minutes, seconds = divmod(rest, MINUTE)
    parts = [(days, "d"), (hours, "h"), (minutes, "min")]
    if with_seconds:
        parts.append((seconds, "s"))
    elif total < MINUTE:
        return "under 1 min"
    elif days:
        parts = parts[:2]
    return " ".join(f"{n} {unit}" for n, unit in parts if n) or "0 s"


def _placed(length: str, seconds: float) -> str:
    return f"{length} ago" if seconds > 0 else f"in {length}"


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
