"""The registry of commands: each is entered where its function is defined, with everything that it is."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass

Options = argparse.Namespace
Option = Callable[[argparse.ArgumentParser], None]  # adds one option or several that belong together


@dataclass(frozen=True)
class Command:
    """A command: its name, what `--help` says of it, an example, its options, and what it does."""

    name: str
    help: str
    example: str
    options: tuple[Option, ...]
    function: Callable[[Options], None]


COMMANDS: dict[str, Command] = {}


def command(
    name: str, help: str, example: str, *options: Option
) -> Callable[[Callable[[Options], None]], Callable[[Options], None]]:
    """Enter the decorated function as the command `name`; `help` is a sentence without capital and period."""

    def register(function: Callable[[Options], None]) -> Callable[[Options], None]:
        COMMANDS[name] = Command(name, help, example, options, function)
        return function

    return register
