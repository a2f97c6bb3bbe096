"""The one exception for what a person can put right."""


class FmkitError(Exception):
    """Bad input or a full disk: one line that names the place and the remedy.

    The command line prints the line and exits with code 2; in Python it is an ordinary exception.
    """
