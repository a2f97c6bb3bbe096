"""The one exception for what a user can fix."""


class FmkitError(Exception):
    """Bad input or a full disk: one line that names the place and the remedy.

    The command line prints the line and exits with code 2; in Python it is an ordinary exception.
    """

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))


def one_line(message: str) -> str:
    """Return the message without line breaks, which a path or another library's error may contain."""
    return " ".join(filter(None, map(str.strip, message.splitlines())))
