"""Numbers, long values and foreign text in sentences."""


def counted(number: int, noun: str, many: str | None = None) -> str:
    """Format a number with its noun: `1 key`, `2,000 keys`. `many` is an irregular plural."""
    return f"{number:,} {noun if number == 1 else many or f'{noun}s'}"


def shortened(text: str, width: int) -> str:
    """Cut a text to so many characters, three dots at its end included."""
    return text if len(text) <= width else text[: width - 3] + "..."


def escape_unprintable(text: str) -> str:
    """Make foreign text safe for a terminal: escape newlines and control characters."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )
