"""Format numbers in sentences."""


def counted(number: int, noun: str, many: str | None = None) -> str:
    """Format a number with its noun: `1 key`, `2,000 keys`. `many` is an irregular plural."""
    return f"{number:,} {noun if number == 1 else many or f'{noun}s'}"
