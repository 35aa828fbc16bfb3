"""Lines that a function logs."""

from handler.log import format_error


def test_an_error_is_logged_with_its_type_and_message() -> None:
    assert format_error(ValueError("no")) == "ValueError: no"


def test_of_an_error_with_a_whole_page_in_it_the_beginning_is_logged() -> None:
    # Lambda splits a line of more than 256 KB into two, neither of which is JSON.
    text = format_error(ValueError("<html>" + "x" * 300_000))
    assert text.startswith("ValueError: <html>xxx")
    assert text.endswith("(cut: 300,018 characters)")
    assert len(text) < 3_000
