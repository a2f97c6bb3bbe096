"""The command line: `fmkit pretrain`, `fmkit finetune`, `fmkit chat` and the others.

Options are the fields of the configurations, by the same names. Whatever a person can put right ends in one
line on standard error and exit code 2.
"""

import argparse
import io
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from fmkit import __version__
from fmkit.cli import training, using
from fmkit.errors import FmkitError

COMMANDS = (
    training.add_pretrain,
    training.add_continue,
    training.add_finetune,
    training.add_distill,
    training.add_reward,
    training.add_align,
    using.add_generate,
    using.add_write,
    using.add_chat,
    using.add_evaluate,
    using.add_check,
)
NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")  # what PyTorch says, by device


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise FmkitError(f"{message} (see {self.prog} --help)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a letter that the terminal does not have
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
    except BrokenPipeError:  # whoever reads, such as `head`, has seen enough
        _discard_output()
    except OSError as error:  # one that has not been explained where it arose
        if error.filename is None:  # a disk that is full under the output
            _discard_output()
        return _fail(
            f"{error.filename or 'the output'}: {error.strerror or error}: check path and permissions"
        )
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError) and not any(words in str(error) for words in NO_MEMORY):
            raise
        return _fail("not enough memory: take a smaller batch, context or model")
    return 0


def _fail(message: str) -> int:
    print(f"fmkit: error: {message}", file=sys.stderr)
    return 2


def _discard_output() -> None:
    """So that Python does not try again at its end to write what was not written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="fmkit", description="Train transformers, small and large.", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"fmkit {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, dest="name")
    for add in COMMANDS:
        add(commands)
    return parser
