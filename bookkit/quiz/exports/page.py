"""An item as HTML: the question and the answer, for the two sides of a card and for paper."""

from collections.abc import Callable

from bookkit.quiz.exports.quizzes import Question
from bookkit.quiz.items import MATCHING, NUMERIC, Item, Pair, Step

Render = Callable[[str], str]  # Markdown to HTML: `rich` or `printed` of exports/text.py

LETTERS = "ABCDEFGHI"
BLANK = '<span class="blank"></span>'  # a line to write on, for paper


def number(value: float) -> str:
    return f"{value:.12g}"


def hint(item: Item, render: Render) -> str:
    """How the question is to be answered. On a page, a number's unit stands beside its field."""
    unit = f" Answer in {render(item.answer.unit)}." if item.answer else ""
    return item.hint + unit


def question(item: Item, render: Render) -> str:
    parts = [f'<p class="stem">{render(item.stem)}</p>', f'<p class="hint">{hint(item, render)}</p>']
    if item.type == NUMERIC:
        parts.append(f"<p>{BLANK}</p>")
    elif item.type == MATCHING:
        parts.append(entries([f"{BLANK} {render(pair.prompt)}" for pair in item.pairs], "1"))
        parts.append(entries([render(pair.match) for pair in shown(item)], "A"))
    else:
        texts = [render(part.text) for part in item.options or item.steps]
        parts.append(entries([f"{BLANK} {text}" for text in texts] if item.steps else texts, "A"))
    return "".join(parts)


def entries(texts: list[str], kind: str) -> str:
    return f'<ol type="{kind}">' + "".join(f"<li>{text}</li>" for text in texts) + "</ol>"


def shown(item: Item) -> list[Pair]:
    """The pairs in the order in which their matches are shown."""
    return sorted(item.pairs, key=lambda pair: pair.shown)


def answer(item: Item, render: Render) -> str:
    """The key in a line."""
    if item.answer:
        return f"{number(item.answer.value)} ± {number(item.answer.tolerance)} {render(item.answer.unit)}"
    if item.steps:
        return ", ".join(f"{letter} {step.place}" for letter, step in zip(LETTERS, item.steps, strict=False))
    if item.pairs:
        return ", ".join(f"{row} {LETTERS[pair.shown - 1]}" for row, pair in enumerate(item.pairs, start=1))
    return " and ".join(
        letter for letter, option in zip(LETTERS, item.options, strict=False) if option.correct
    )


def ordered(item: Item) -> list[Step]:
    return sorted(item.steps, key=lambda step: step.place)


def reasons(item: Item, render: Render) -> str:
    """A list with the rationale of every part, each beginning with the part that it explains."""
    parts = [
        *(
            (f"{letter} {'✓' if option.correct else '✗'} {render(option.text)}", option.rationale)
            for letter, option in zip(LETTERS, item.options, strict=False)
        ),
        *((f"{step.place} {render(step.text)}", step.rationale) for step in ordered(item)),
        *((f"{render(pair.prompt)} → {render(pair.match)}", pair.rationale) for pair in item.pairs),
    ]
    if item.answer:
        parts = [(f"✓ {number(item.answer.value)}", item.answer.rationale), *mistakes(item)]
    return listed(parts, render)


def mistakes(item: Item) -> list[tuple[str, str]]:
    return [(f"✗ {number(mistake.value)}", mistake.rationale) for mistake in item.mistakes]


def listed(parts: list[tuple[str, str]], render: Render) -> str:
    lines = (f"<li><b>{part}</b><br>{render(rationale)}</li>" for part, rationale in parts)
    return f"<ul>{''.join(lines)}</ul>"


def again(question: Question, render: Render) -> str:
    """Where the book says it."""
    objective = f"exam objective {question.item.objective}"
    if question.section is None:
        return f'<p class="again">For {objective}.</p>'
    title = render(question.section.title)
    if question.address:
        title = f'<a href="{question.address}">{title}</a>'
    return f'<p class="again">Read again: {title} · {objective}</p>'


def tags(question: Question) -> list[str]:
    """The objective and the chapter, in Anki's notation for tags with parts."""
    chapter = question.section.page.removeprefix("chapters/").replace("/", "::") if question.section else None
    return [f"objective::{question.item.objective}", *([f"chapter::{chapter}"] if chapter else [])]
