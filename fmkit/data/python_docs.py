"""The corpus `python-docs`: docstrings and comments of pure-Python packages that are installed beside us.

Every package comes with torch or datasets as the same wheel on every platform, so the same versions give
the same bytes everywhere. Only the standard library is used, and only parts of it that agree between
Python 3.11 and 3.13.
"""

import ast
import hashlib
import re
import textwrap
import warnings
from collections.abc import Iterator
from importlib import metadata

from fmkit.errors import FmkitError

VERSION = 1  # of the extraction: part of the cache key, so raise it with every change below
PACKAGES = (
    "datasets",
    "filelock",
    "fsspec",
    "huggingface_hub",
    "jinja2",
    "mpmath",
    "networkx",
    "packaging",
    "sympy",
    "tqdm",
)
SHORTEST = 80  # characters of a document; what is shorter is mostly a label

Document = tuple[str, str, str]  # split, text, source


def package_versions() -> dict[str, str]:
    """Name and installed version of every package that `python-docs` is made from.

    Raises FmkitError when one of them is not installed, or without the list of its files.
    """
    for package in PACKAGES:
        try:
            listed = metadata.files(package)
        except metadata.PackageNotFoundError:
            listed = None
        if not listed:
            raise FmkitError(f"the corpus 'python-docs' reads the package {package}: pip install {package}")
    return {package: metadata.version(package) for package in PACKAGES}


def extract() -> Iterator[Document]:
    """The documents as (split, text, source), in the order of their files, without exact duplicates.

    A document is one docstring or one block of comment lines. A file lies wholly in one split.
    """
    seen = set()
    for path, source in sorted(_source_files()):
        split = "validation" if _digest(path) % 20 == 0 else "train"
        try:
            documents = [*_docstrings(source), *_comments(source)]
        except SyntaxError:  # a module for a newer Python
            continue
        for name, text in documents:
            if _is_useful(text) and text not in seen:
                seen.add(text)
                yield split, text, f"{path}:{name}"


def _source_files() -> Iterator[tuple[str, str]]:
    """Path and text of every module that the wheels brought, tests left out."""
    for package in PACKAGES:
        for file in metadata.files(package) or ():
            own = file.suffix == ".py" and file.parts[0] == package
            if own and not {"tests", "_generated"} & set(file.parts):
                try:
                    yield file.as_posix(), file.read_binary().decode("utf-8-sig").replace("\r\n", "\n")
                except (OSError, UnicodeDecodeError):
                    raise FmkitError(f"{file} is damaged: pip install --force-reinstall {package}") from None


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def _docstrings(source: str) -> Iterator[tuple[str, str]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an invalid escape in one of their strings
        tree = ast.parse(source)
    yield from _docstrings_below(tree, "")


def _docstrings_below(node: ast.AST, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        text = ast.get_docstring(node, clean=False)  # its cleaning differs between versions of Python
        if text:
            yield name or "<module>", _clean_docstring(text)
    for field in ("body", "handlers", "orelse", "finalbody", "cases"):
        for child in getattr(node, field, ()):
            if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                yield from _docstrings_below(child, f"{name}.{child.name}".lstrip("."))
            elif hasattr(child, "body"):
                yield from _docstrings_below(child, name)


def _clean_docstring(text: str) -> str:
    first, _, rest = text.expandtabs().partition("\n")
    return _tidy([first.strip(), *textwrap.dedent(rest).split("\n")])


# A comment, or a string to be jumped over: a '#' in it is no comment.
_STRING_OR_COMMENT = re.compile(
    r'''"""(?:\\.|[^\\])*?"""|\'\'\'(?:\\.|[^\\])*?\'\'\'|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|(#[^\n]*)''',
    re.DOTALL,
)
_DIRECTIVE = re.compile(r"#\s*(?:!|-\*-|noqa|type:|pragma|fmt:|isort|pylint|mypy|pyright|ruff|coding[:=])")


def _comments(source: str) -> Iterator[tuple[str, str]]:
    """Blocks of neighboring lines that hold a comment and nothing else."""
    block: list[str] = []
    start = expected = -1
    for match in _STRING_OR_COMMENT.finditer(source):
        comment = match[1]
        if not comment:
            continue
        line_start = source.rfind("\n", 0, match.start()) + 1
        if source[line_start : match.start()].strip():
            continue  # behind code
        if line_start != expected:
            yield from _comment_block(source, start, block)
            start, block = line_start, []
        if not _DIRECTIVE.match(comment):
            block.append(comment)
        expected = match.end() + 1
    yield from _comment_block(source, start, block)


def _comment_block(source: str, start: int, block: list[str]) -> Iterator[tuple[str, str]]:
    if block:
        lines = textwrap.dedent("\n".join(line.lstrip("#") for line in block)).split("\n")
        lines = [line.rstrip("# ") for line in lines]
        text = _tidy([line for line in lines if not line or re.search("[A-Za-z0-9]", line)])
        if len(text) >= SHORTEST:
            yield f"line {source.count(chr(10), 0, start) + 1}", text


def _tidy(lines: list[str]) -> str:
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in lines)).strip("\n")


def _is_useful(text: str) -> bool:
    """Long enough, mostly words, and no license."""
    if len(text) < SHORTEST or re.search(r"copyright|all rights reserved|licen[sc]ed under", text, re.I):
        return False
    return sum(map(len, re.findall("[A-Za-z ]+", text))) > 0.6 * len(text)
