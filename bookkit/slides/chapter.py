"""What a chapter's notebook and its teaching page hold, as slides.

A section is a stack of slides, one for each of its figures, tables and boxes, in their order. A section that
has none shows its text, shortened. Exercises, code and sources stay in the chapter.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import nbformat
import yaml
from markdown_it.token import Token
from markupsafe import Markup

from bookkit.quiz.items import CHOICE, Item, read_bank
from bookkit.site import diagrams, parts
from bookkit.site.boxes import BOXES
from bookkit.site.formulas import TAG
from bookkit.site.templates import render
from bookkit.slides.text import Cited, parse, to_html
from fmkit.errors import FmkitError

PAGES = "chapters/teaching"
CHAPTER = re.compile(r"^For the chapter \{doc\}`\.\./([\w/-]+)`", re.MULTILINE)
HOME = re.compile(r"\*\*The one thing to take home\.\*\*\s*(.+?)(?:\n\s*\n|\Z)", re.DOTALL)
BEFORE = re.compile(r"\*\*Before class\.\*\*\s*(.+?)(?:\n\s*\n|\Z)", re.DOTALL)
ROW = re.compile(r"^\|(.+?)\|(.+)\|\s*$", re.MULTILINE)
NAMED = re.compile(r"\]\(([\w-]+)\)")  # a section that a plan links to
QUOTED = re.compile(r"`([a-z0-9-]+)`")
DIRECTIVE = re.compile(r"\{([\w:-]+)\}\s*(.*)")
OPTION = re.compile(r":(\w+):\s*(.*)\n")
GAP = re.compile(r"(?<=[.!?])\s+(?=[\"*(]*[A-Z])")  # between two sentences
TABLE = re.compile(r"(<figure.*?<tbody>)(.*)(</tbody>.*)", re.DOTALL)
ROWS = re.compile(r"<tr>.*?</tr>", re.DOTALL)
WITHOUT_OUTPUT = {"remove-cell", "remove-output", "hide-output"}
LEFT_OUT = {"chapter", "guide", "no-code", "question", "exercise", "solution", "sources"}
ON_SLIDES = {"by-hand", "break-it", "papers", "cost", "responsible", "takeaways"}
QUESTIONS = 3
LONGEST = 120  # words of a slide that is text only
MOST_IN_TABLE = 170  # words of a table's rows on one slide
ORIGIN = "From *Training Foundation Models*, CC BY 4.0. The space bar goes on; S shows the speaker's notes."
LIVE = "*On the page:* open this section and try it."


@dataclass
class Slide:
    """Its title and its parts are Markdown, or HTML where a cell made it."""

    title: str
    body: list[str]
    kind: str = "text"
    over: str = ""  # a line above the title
    notes: list[str] = field(default_factory=list)
    item: Item | None = None

    @property
    def texts(self) -> list[str]:
        texts = [self.title, self.over, *self.body, *self.notes]
        if self.item:
            texts.append(self.item.stem)
            texts += [text for option in self.item.options for text in (option.text, option.rationale)]
        return [text for text in texts if is_text(text)]

    def html(self, cited: Cited) -> Markup:
        def text(source: str) -> Markup:
            return to_html(source, cited) if is_text(source) else Markup(source)

        return Markup(render("slides/slide.html", slide=self, text=text))


@dataclass
class Deck:
    name: str
    title: str
    stacks: list[list[Slide]]

    @property
    def texts(self) -> Iterator[str]:
        return (text for stack in self.stacks for slide in stack for text in slide.texts)


@dataclass
class Block:
    """A part of a section: `text`, `list`, `table`, `figure` (HTML), or a directive by its name."""

    kind: str
    text: str
    argument: str = ""


@dataclass
class Section:
    title: str
    label: str = ""
    blocks: list[Block] = field(default_factory=list)


def is_text(part: str) -> bool:
    return not isinstance(part, Markup)


def read_decks(root: Path) -> list[Deck]:
    """The decks of all chapters that have a teaching page, in the order of the book."""
    bank = read_bank(root)
    toc = yaml.safe_load((root / "_toc.yml").read_text("utf-8"))
    captions = {one["file"]: part["caption"] for part in toc["parts"] for one in part["chapters"]}
    pages: dict[str, Path] = {}
    for page in sorted((root / PAGES).glob("*.md")):
        if found := CHAPTER.search(page.read_text("utf-8")):
            pages[f"chapters/{found[1]}"] = page
    return [
        read_deck(root, chapter, captions[chapter], pages[chapter], bank)
        for chapter in captions
        if chapter in pages
    ]


def read_deck(root: Path, chapter: str, caption: str, page: Path, bank: dict[str, list[Item]]) -> Deck:
    plan = page.read_text("utf-8")
    home = HOME.search(plan)
    if not home:
        raise FmkitError(f"{page.relative_to(root)}: says no **The one thing to take home.**")
    every = list(read_sections(root / f"{chapter}.ipynb"))
    opening, *sections = every
    first = Slide(opening.title, [ORIGIN], "title", caption, notes=[*BEFORE.findall(plan), *minutes(plan)])
    one = Slide("The one thing to take home", [home[1]], "home")
    stacks = [[first], [one]]
    hook = Slide("To begin with", brief(opening.blocks))
    pictures = [one for one in section_slides(replace(opening, title=hook.title), plan) if one.kind != "text"]
    stacks.append([hook, *pictures])
    stacks += [section_slides(section, plan) for section in sections]
    quizzes = [block.argument for s in sections for block in s.blocks if block.kind == "quiz"]
    items = [item for quiz in quizzes for item in bank.get(quiz, [])]
    stacks.append([Slide("Question", [], "question", item=item) for item in choose(items, plan)])
    taken = [block.text for s in every for block in s.blocks if block.kind == "takeaways"]
    stacks.append([Slide(BOXES["takeaways"], taken, notes=errors(plan))])
    return Deck(page.stem, opening.title, [stack for stack in stacks if stack])


def choose(items: list[Item], plan: str) -> list[Item]:
    """Up to three questions with one right option, those that the teaching plan names first."""
    named = QUOTED.findall(plan)
    choices = [item for item in items if item.type == CHOICE]
    return sorted(choices, key=lambda item: item.id not in named)[:QUESTIONS]


# --- the notes ---


def minutes(plan: str) -> list[str]:
    """The rows of the plan without code, as a list."""
    rows = ROW.findall(plan.partition("without code")[2].partition("\n## ")[0])[2:]
    return ["\n".join(f"- **{when.strip()}** {what.strip()}" for when, what in rows)] if rows else []


def errors(plan: str) -> list[str]:
    rows = ROW.findall(plan.partition("## Common errors")[2].partition("\n## ")[0])[2:]
    return ["\n".join(f"- {said.strip()} {answer.strip()}" for said, answer in rows)] if rows else []


def notes_for(label: str, plan: str) -> list[str]:
    rows = [(when, what) for when, what in ROW.findall(plan) if label and label in NAMED.findall(what)]
    return [f"**{when.strip()}** {what.strip()}" for when, what in rows]


# --- a section's slides ---


def section_slides(section: Section, plan: str) -> list[Slide]:
    slides: list[Slide] = []
    before: list[Block] = []  # texts since the last slide
    for block in section.blocks:
        if block.kind in ("text", "list"):
            before.append(block)
        elif block.kind in ON_SLIDES - {"takeaways"}:
            title = ": ".join(filter(None, (BOXES[block.kind], block.argument)))
            over = "" if title.startswith(section.title) else section.title
            body = [block.text] if block.kind == "by-hand" else shorter(block.text)
            slides.append(Slide(title, body, block.kind, over))
        elif pictures := drawn(block):
            lead = [] if "<figcaption" in pictures[0] else lead_in(before)
            slides += [Slide(section.title, [*lead, picture], "figure") for picture in pictures]
            before = []
        elif block.kind == "widget":
            lists = [one for one in section.blocks if one.kind == "list"]
            slides.append(Slide(section.title, [LIVE, *lead_in(before), *brief(lists)]))
    asks = any(block.kind == "quiz" for block in section.blocks)
    if not slides and not asks and (said := brief(section.blocks)):
        slides.append(Slide(section.title, said))
    if slides:
        slides[0].notes = notes_for(section.label, plan)
    return slides


def drawn(block: Block) -> list[str]:
    """What slides show of a block: a figure as it is, a diagram drawn, a long table in parts; or nothing."""
    if block.kind == "figure":
        if not (found := TABLE.fullmatch(block.text)):
            return [Markup(block.text)]
        head, rows, foot = found.groups()
        return [Markup(head + "\n".join(some) + foot) for some in shared(ROWS.findall(rows))]
    if block.kind == "table":
        head, line, *rows = block.text.splitlines()
        return ["\n".join([head, line, *some]) for some in shared(rows)]
    if block.kind == "mermaid":
        options, code = split_options(block.text)
        return [Markup(diagrams.html(code, options["alt"]))]
    if block.kind == "parts":
        drawing = [parts.draw(block.argument, False)]
        here = f"You are here: {block.argument}." if block.argument else ""
        return [Markup(render("site/parts.html", drawings=drawing, here=here, about=parts.WHOLE))]
    return []


def shared(rows: list[str]) -> list[list[str]]:
    """The rows of a table, shared out among as many slides as their words need."""
    slides = -(-words([TAG.sub(" ", row) for row in rows]) // MOST_IN_TABLE)
    size = -(-len(rows) // slides)
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def split_options(text: str) -> tuple[dict[str, str], str]:
    options = {}
    while found := OPTION.match(text):
        options[found[1]] = found[2]
        text = text[found.end() :]
    return options, text


def lead_in(blocks: list[Block]) -> list[str]:
    """The last two sentences before a picture that has none of its own."""
    texts = [block.text for block in blocks if block.kind == "text"]
    return [" ".join(sentences(texts[-1])[-2:])] if texts else []


def shorter(text: str) -> list[str]:
    """A box as it is, or the beginnings of its paragraphs if it is long."""
    return [text] if len(text.split()) <= LONGEST else brief(read_blocks(text))


def brief(blocks: Iterable[Block]) -> list[str]:
    """The first sentences of each paragraph and of each item of a list: as many as a slide has room for."""
    said = [block for block in blocks if block.kind in ("text", "list", "math")]
    short: list[str] = []
    for count in (9, 3, 2, 1):
        short = [first_sentences(block, count) for block in said]
        if words(short) <= LONGEST:
            break
    while len(short) > 1 and words(short) > LONGEST:
        short.pop()
    return short


def sentences(text: str) -> list[str]:
    """The sentences of a paragraph; what is in bold, quotes or parentheses stays in one piece."""
    found: list[str] = []
    for piece in GAP.split(text):
        if found and is_open(found[-1]):
            found[-1] += f" {piece}"
        else:
            found.append(piece)
    return found


def is_open(text: str) -> bool:
    bold = text.count("**")
    italic = text.count("*") - 2 * bold
    return bool(bold % 2 or italic % 2 or text.count('"') % 2 or text.count("(") > text.count(")"))


def words(texts: list[str]) -> int:
    return sum(len(text.split()) for text in texts)


def first_sentences(block: Block, count: int) -> str:
    if block.kind == "math":
        return block.text
    items = re.split(r"\n(?=[-*] |\d+\. )", block.text) if block.kind == "list" else [block.text]
    return "\n".join(" ".join(sentences(item)[:count]) for item in items)


# --- reading a notebook ---


def read_sections(path: Path) -> Iterator[Section]:
    """The notebook's sections; the first one is what precedes the first heading below the title."""
    section, label = Section(""), ""
    for cell in nbformat.read(path, as_version=4).cells:
        blocks = read_blocks(cell.source) if cell.cell_type == "markdown" else outputs(cell)
        for block in blocks:
            if block.kind == "target":
                label = block.text
            elif block.kind == "h1":
                section.title = block.text
            elif block.kind in ("h2", "h3"):
                yield section
                section, label = Section(block.text, label), ""
            elif block.kind not in LEFT_OUT:
                section.blocks.append(block)
    yield section


def read_blocks(text: str) -> Iterator[Block]:
    """The top-level blocks of a Markdown text."""
    lines = text.splitlines()
    tokens = [token for token in parse(text) if token.level == 0 and token.map]
    for token in tokens:
        yield from read_block(token, lines)


def read_block(token: Token, lines: list[str]) -> Iterator[Block]:
    start, end = token.map or (0, 0)
    source = "\n".join(lines[start:end]).strip()
    if token.type == "heading_open":
        yield Block(token.tag, source.lstrip("# "))
    elif token.type == "myst_target":
        yield Block("target", token.content)
    elif token.type == "table_open":
        yield Block("table", source)
    elif token.type in ("bullet_list_open", "ordered_list_open"):
        yield Block("list", source)
    elif token.type == "math_block":
        yield Block("math", source)
    elif token.type in ("fence", "colon_fence"):
        if found := DIRECTIVE.match(token.info.strip()):
            name, argument = found[1], found[2]
            known = {*ON_SLIDES, *LEFT_OUT, "mermaid", "parts", "quiz"}
            yield Block(name if name in known else "widget", token.content, argument)
    elif token.type == "paragraph_open":
        yield Block("text", source)


def outputs(cell: Any) -> Iterator[Block]:
    """The figures, tables and marked texts of a code cell; marked texts stay together."""
    if WITHOUT_OUTPUT & {*cell.metadata.get("tags", [])}:
        return
    marked = []
    for output in cell.outputs:
        data = output.get("data", {})
        if "application/vnd.jupyter.widget-view+json" in data:
            yield Block("widget", "")
        elif html := data.get("text/html", ""):
            if html.startswith("<figure"):
                yield Block("figure", html)
            else:
                marked.append(html)
    if marked:
        yield Block("figure", "\n".join(marked))
