"""Numbers and sizes in words."""


def number(value: float | None) -> str:
    """With thousands separators and one decimal at most: "26,041", "1.5". Nothing known: "–"."""
    if value is None:
        return "–"
    rounded = round(float(value), 1)
    return f"{int(rounded):,}" if rounded.is_integer() else f"{rounded:,.1f}"


def count(n: int, one: str, many: str | None = None) -> str:
    """A number with its noun: "1 job", "2,082 jobs", "no jobs"."""
    noun = one if n == 1 else many or f"{one}s"
    return f"no {noun}" if n == 0 else f"{n:,} {noun}"


def filesize(size: int | None) -> str:
    """A size of bytes in decimal units: "999 bytes", "4 kB", "1.2 MB". Nothing known: "unknown"."""
    if size is None:
        return "unknown"
    if size < 1000:
        return "1 byte" if size == 1 else f"{size} bytes"
    amount, units = size / 1000, iter(("kB", "MB", "GB"))
    unit = next(units)
    # 999.95 kB would be shown as 1000 kB: what is shown decides the unit.
    while round(amount, 1) >= 1000 and (larger := next(units, None)):
        amount, unit = amount / 1000, larger
    decimals = 0 if unit == "kB" or round(amount, 1).is_integer() else 1
    if unit == "kB" and round(amount) >= 1000:
        return "1 MB"
    return f"{amount:,.{decimals}f} {unit}"
