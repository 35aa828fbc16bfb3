"""What holds for all tests."""

import signal

# A shell that runs the tests in the background has them ignore Ctrl-C; what they start would
# inherit that, and never end where a test interrupts it.
signal.signal(signal.SIGINT, signal.default_int_handler)
