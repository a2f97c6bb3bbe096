"""The command line: `fmkit pretrain`, `fmkit finetune`, `fmkit chat` and the others.

Options have the names of the configurations' fields. Whatever a user can fix ends in one line on standard
error and exit code 2.
"""

import argparse
import io
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from fmkit import __version__
from fmkit.cli import serving as serving  # their commands enter the registry
from fmkit.cli import training as training
from fmkit.cli import using as using
from fmkit.cli.registry import COMMANDS
from fmkit.errors import FmkitError

NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")  # in PyTorch's messages


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise FmkitError(f"{message} (see {self.prog} --help)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # for a character that the terminal lacks
    try:
        options, unknown = _parser().parse_known_args(arguments)
        if unknown:
            raise FmkitError(f"unknown arguments: {' '.join(unknown)} (see fmkit {options.name} --help)")
        options.function(options)
        print(end="", flush=True)
    except FmkitError as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader, such as `head`, has closed the pipe
        _discard_output()
    except OSError as error:  # not explained where it was raised
        if error.filename is None:  # standard output goes to a full disk
            _discard_output()
        return _fail(
            f"{error.filename or 'the output'}: {error.strerror or error}: check path and permissions"
        )
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError) and not any(words in str(error) for words in NO_MEMORY):
            raise
        return _fail("not enough memory: use a smaller batch, context or model")
    return 0


def _fail(message: str) -> int:
    print(f"fmkit: error: {message}", file=sys.stderr)
    return 2


def _discard_output() -> None:
    """Keep Python from writing the rest of the output when it exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="fmkit", description="Train transformers, small and large.", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"fmkit {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, dest="name")
    for entry in COMMANDS.values():
        command = commands.add_parser(
            entry.name,
            help=entry.help,
            description=f"{entry.help[0].upper()}{entry.help[1:]}.",
            epilog=f"For example: {entry.example}",
            allow_abbrev=False,
        )
        command.set_defaults(function=entry.function)
        for add_to in entry.options:
            add_to(command)
    return parser
