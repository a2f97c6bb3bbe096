"""The variants of an item: the same question with other numbers.

    variants:
      rate: [0.9, 0.8, 0.7]             # values, one for each variant; pages show the first
      done: rate ** 3                   # a formula of the names above it
    stem: An agent is right in {{rate:.0%}} of its steps. How often are three steps right?
    options:
      - text: "{{done:.0%}}"
        …

Numbers are written as 0.9 and 1,200, or as a format of Python after the colon says. Formulas have + - * / **,
parentheses, exp, log (natural), sqrt and round.
"""

import ast
import math
import operator
import re
from collections.abc import Callable

import yaml

from bookkit.site.entries import Entry

PLACE = re.compile(r"\{\{ *([a-z]\w*) *(?::([^{}]*?))? *\}\}")
OPERATORS: dict[type, Callable[..., float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: math.pow,
    ast.USub: operator.neg,
}
FUNCTIONS: dict[str, Callable[[float], float]] = {
    "exp": math.exp,
    "log": math.log,
    "sqrt": math.sqrt,
    "round": lambda value: float(round(value)),
}


def variants(entry: Entry) -> list[Entry]:
    """The entry of each variant of an item; the entry itself where it has none."""
    node = entry.node
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    found = next((value for key, value in pairs if key.value == "variants"), None)
    if found is None:
        return [entry]
    rest = yaml.MappingNode(
        node.tag, [pair for pair in pairs if pair[1] is not found], node.start_mark, node.end_mark
    )
    table, used = read_values(Entry(found, entry.file))
    filled = [Entry(fill(rest, values, entry.file, used), entry.file) for values in table]
    if unused := sorted(table[0].keys() - used):
        raise Entry(found, entry.file).fault(f"nothing uses {', '.join(unused)}")
    return filled


def read_values(entry: Entry) -> tuple[list[dict[str, float]], set[str]]:
    """The numbers of each variant by their names, and the names that formulas use."""
    entry.expect("map", "variants")
    table: list[dict[str, float]] = []
    used: set[str] = set()
    for key, node in entry.node.value:
        name, one = str(key.value), Entry(node, entry.file)
        if not re.fullmatch(r"[a-z]\w*", name) or name in FUNCTIONS or (table and name in table[0]):
            raise Entry(key, entry.file).fault(f"{name!r} is not a name for a number, or is used twice")
        if isinstance(node, yaml.SequenceNode):
            numbers = [value.number(name) for value in one.list(name)]
            table = table or [{} for _ in numbers]
            if len(numbers) < 2 or len(numbers) != len(table):
                raise one.fault("each list needs two values or more, as many as the others")
        elif not table:
            raise one.fault("begin with a list of values: a formula needs the names above it")
        else:
            numbers = [evaluate(one, name, values, used) for values in table]
        for values, number in zip(table, numbers, strict=True):
            values[name] = number
    if not table:
        raise entry.fault("variants need a list of values")
    return table, used


def evaluate(entry: Entry, name: str, values: dict[str, float], used: set[str]) -> float:
    text = entry.text(name)
    try:
        result = compute(ast.parse(text, mode="eval").body, values, used)
        if not math.isfinite(result):
            raise OverflowError("the result is not a number")
    except (ValueError, ArithmeticError, SyntaxError, RecursionError, MemoryError) as error:
        raise entry.fault(f"the formula {text!r} cannot be computed: {error}") from None
    return result


def compute(tree: ast.expr, values: dict[str, float], used: set[str]) -> float:
    match tree:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name) if name in values:
            used.add(name)
            return values[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -compute(operand, values, used)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
            return OPERATORS[type(op)](compute(left, values, used), compute(right, values, used))
        case ast.Call(func=ast.Name(id=name), args=[one], keywords=[]) if name in FUNCTIONS:
            return FUNCTIONS[name](compute(one, values, used))
    raise ValueError(f"{ast.unparse(tree)!r} is neither a name above it nor a known operation")


def fill(node: yaml.Node, values: dict[str, float], file: str, used: set[str]) -> yaml.Node:
    """A copy of the node whose texts have the values in their places."""
    if isinstance(node, yaml.MappingNode):
        pairs = [(key, fill(value, values, file, used)) for key, value in node.value]
        return yaml.MappingNode(node.tag, pairs, node.start_mark, node.end_mark)
    if isinstance(node, yaml.SequenceNode):
        parts = [fill(one, values, file, used) for one in node.value]
        return yaml.SequenceNode(node.tag, parts, node.start_mark, node.end_mark)

    def written(place: re.Match[str]) -> str:
        name, form = place[1], place[2] or ",.10g"
        used.add(name)
        try:
            return format(values[name], form)
        except KeyError:
            raise Entry(node, file).fault(f"variants have no {name!r}") from None
        except ValueError as error:
            raise Entry(node, file).fault(f"{place[0]!r} cannot be written: {error}") from None

    return yaml.ScalarNode(node.tag, PLACE.sub(written, node.value), node.start_mark, node.end_mark)
