"""YAML files read with their line numbers, so that a fault is one line: file, line, what is wrong."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import yaml

from fmkit.errors import FmkitError

KINDS = {
    "map": "a mapping of keys",
    "seq": "a list",
    "str": "text",
    "bool": "true or false",
    "int": "a number",
    "float": "a number",
    "null": "nothing",
}


@dataclass(frozen=True)
class Entry:
    """A value of a YAML file, and its place there."""

    node: yaml.Node
    file: str

    @property
    def line(self) -> int:
        return self.node.start_mark.line + 1

    def fault(self, message: str) -> FmkitError:
        return FmkitError(f"{self.file}:{self.line}: {message}")

    def expect(self, kind: str, name: str) -> None:
        found = self.node.tag.rpartition(":")[2]
        if found != kind:
            hint = ": put it in quotes" if kind == "str" and found in ("int", "float", "bool") else ""
            raise self.fault(f"{name} must be {KINDS[kind]}, not {KINDS.get(found, 'something else')}{hint}")

    def fields(self, name: str, required: Iterable[str], optional: Iterable[str] = ()) -> dict[str, "Entry"]:
        """The values of a mapping by their keys: all of `required`, any of `optional`, nothing else."""
        self.expect("map", name)
        required, found = list(required), {}
        allowed = [*required, *optional]
        for key_node, value in self.node.value:
            key = key_node.value if isinstance(key_node.value, str) else "?"
            if key not in allowed:
                raise Entry(key_node, self.file).fault(
                    f"{name} has no key {key!r}: it has {', '.join(allowed)}"
                )
            if key in found:
                raise Entry(key_node, self.file).fault(f"{name} has the key {key!r} twice")
            found[key] = Entry(value, self.file)
        for key in required:
            if key not in found:
                raise self.fault(f"{name} is missing the key {key!r}")
        return found

    def list(self, name: str) -> list["Entry"]:
        self.expect("seq", name)
        return [Entry(node, self.file) for node in self.node.value]

    def text(self, name: str, pattern: str | None = None, form: str = "") -> str:
        """Text with something in it; if there is a `pattern` it must match, and `form` says what is right."""
        self.expect("str", name)
        text = str(self.node.value).strip()
        if not text:
            raise self.fault(f"{name} is empty")
        if any(unicodedata.category(sign) in ("Cc", "Cs") and sign != "\n" for sign in text):
            raise self.fault(f"{name} has a character that no page can show")
        if pattern and not re.fullmatch(pattern, text):
            raise self.fault(f"{name} must be {form}, not {text!r}")
        return text

    def number(self, name: str) -> float:
        if self.node.tag.rpartition(":")[2] not in ("int", "float"):
            raise self.fault(f"{name} must be a number")
        try:
            return float(self.node.value)
        except ValueError:  # YAML knows more ways to write one, such as .inf and 1:30
            raise self.fault(f"{name} must be written as a plain number") from None

    def whole(self, name: str) -> int:
        number = self.number(name)
        if not number.is_integer():
            raise self.fault(f"{name} must be a whole number")
        return int(number)

    def day(self, name: str) -> date:
        try:
            return date.fromisoformat(self.text(name))
        except ValueError:
            raise self.fault(f'{name} must be a day in quotes, as "2026-04-30"') from None

    def flag(self, name: str) -> bool:
        self.expect("bool", name)
        return str(self.node.value).lower() in ("true", "yes", "on")


LARGEST = 2_000_000  # bytes: far above any file of the book, and read in seconds


def read(path: Path, file: str) -> Entry:
    """The whole of a YAML file, called `file` in messages."""
    try:
        if path.stat().st_size > LARGEST:
            raise FmkitError(f"{file}:1: is larger than {LARGEST // 1_000_000} MB: split it")
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except OSError as error:
        raise FmkitError(f"{file}:1: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise FmkitError(f"{file}:{line}: is not UTF-8") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise FmkitError(f"{file}:{mark.line + 1 if mark else 1}: is not YAML: {error.problem}") from None
    except yaml.reader.ReaderError as error:
        raise FmkitError(f"{file}:1: has a character that YAML forbids: #x{error.character:x}") from None
    except (ValueError, OverflowError, RecursionError) as error:
        raise FmkitError(f"{file}:1: is not YAML: {type(error).__name__}") from None
    if node is None:
        raise FmkitError(f"{file}:1: is empty")
    return Entry(node, file)
