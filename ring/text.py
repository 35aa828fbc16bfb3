"""Numbers in sentences."""


def counted(number: int, one: str, many: str | None = None) -> str:
    """A number with its noun: `1 key`, `2,000 keys`. `many` is for what takes more than an s."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
