"""Style sheets of others without the rules that no page needs: of the theme's 400 kB a tenth remains.

A rule stays if every class and every id of one of its selectors is a name somewhere: in a page's markup, or
anywhere in a script. What a script puts together from parts is in MADE.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

import tinycss2
from tinycss2.ast import AtRule, Node, QualifiedRule

NAME = re.compile(r"[A-Za-z_][\w-]*")
NAMED = re.compile(r'\b(?:class|id)="([^"]*)"')
MADE = re.compile(r"bs-tooltip-|popover|tooltip")  # Bootstrap: "bs-tooltip-" + where it is placed
NESTING = ("media", "supports", "layer", "container")  # at-rules that hold rules


def names(pages: Iterable[str], scripts: Iterable[str]) -> set[str]:
    """All that may be a class or an id."""
    marked = {name for page in pages for named in NAMED.findall(page) for name in named.split()}
    return marked.union(*(NAME.findall(script) for script in scripts))


def without_unused(style: str, known: set[str]) -> str:
    """The style sheet with those rules alone that may match."""
    rules = tinycss2.parse_stylesheet(style, skip_comments=True, skip_whitespace=True)
    return "".join(kept(rules, known))


def kept(rules: list[Node], known: set[str]) -> Iterator[str]:
    for rule in rules:
        if isinstance(rule, QualifiedRule):
            alternatives = [one for one in split(rule.prelude) if required(one) <= known]
            if alternatives:
                selector = ",".join(tinycss2.serialize(one).strip() for one in alternatives)
                yield f"{selector}{{{tinycss2.serialize(rule.content)}}}\n"
        elif isinstance(rule, AtRule) and rule.lower_at_keyword in NESTING and rule.content is not None:
            inner = tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)
            if text := "".join(kept(inner, known)):
                yield f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude)}{{{text}}}\n"
        else:
            yield f"{rule.serialize()}\n"


def split(prelude: list[Node]) -> Iterator[list[Node]]:
    """The selectors of a list."""
    start = 0
    for place, token in enumerate(prelude):
        if token == ",":
            yield prelude[start:place]
            start = place + 1
    yield prelude[start:]


def required(selector: list[Node]) -> set[str]:
    """The classes and ids that an element needs; those in brackets, as in :not(.hidden), are left out."""
    found = {token.value for token in selector if token.type == "hash"}
    for before, token in pairwise(selector):
        if before == "." and token.type == "ident":
            found.add(token.value)
    return {name for name in found if not MADE.match(name)}
