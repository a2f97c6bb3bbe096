"""The exam as data: its guide and objectives, and dated facts about services, in assets/exam/.

A faulty file raises `FmkitError` with its name, the line and the fault.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

from bookkit.quiz.items import NAME, Item
from bookkit.site.entries import Entry, read

OBJECTIVES = "assets/exam/objectives.yml"
SERVICES = "assets/exam/services.yml"
ROLES = ("owned", "touched", "none")


@dataclass(frozen=True)
class Source:
    """A document, by its title, and its address where we know it."""

    title: str
    url: str | None


@dataclass(frozen=True)
class Domain:
    """A part of the exam; `weight` is its share of the scored questions, in percent."""

    id: int
    title: str
    weight: int


@dataclass(frozen=True)
class Guide:
    """The edition of the exam guide that the book follows."""

    name: str
    code: str
    version: str
    published: date
    source: Source
    domains: tuple[Domain, ...]


@dataclass(frozen=True)
class Objective:
    """What the exam asks for, in our words. `role` says whether the book means to teach it in full, in part
    or not; `pages` are those that teach it today, without their endings; `line` is its place in the file."""

    id: str
    title: str
    role: str
    verified: str
    pages: tuple[str, ...]
    line: int

    @property
    def task(self) -> str:
        """The task statement that it belongs to, as 3.3."""
        return self.id.rpartition(".")[0]

    @property
    def domain(self) -> int:
        return int(self.id.partition(".")[0])


@dataclass(frozen=True)
class Service:
    """A fact about a service or the exam that may change; `verified_on` is a day or a month, as 2026-11."""

    id: str
    claim: str
    verified: str
    source: Source
    verified_on: str


def guide(root: Path) -> Guide:
    """The guide and its domains; raises FmkitError with file, line and the first fault."""
    whole = _whole(root)
    exam = whole["exam"].fields("the exam", ("name", "code", "version", "published", "source"))
    domains = [one.fields("a domain", ("id", "title", "weight")) for one in whole["domains"].list("domains")]
    return Guide(
        name=exam["name"].text("name"),
        code=exam["code"].text("code"),
        version=exam["version"].text("version"),
        published=exam["published"].day("published"),
        source=_source(exam["source"]),
        domains=tuple(
            Domain(one["id"].whole("id"), one["title"].text("title"), one["weight"].whole("weight"))
            for one in domains
        ),
    )


def read_objectives(root: Path) -> dict[str, Objective]:
    """The objectives by their number, in the guide's order; raises FmkitError with file, line and fault."""
    found: dict[str, Objective] = {}
    for entry in _whole(root)["objectives"].list("objectives"):
        fields = entry.fields("an objective", ("id", "title", "role", "verified"), ["pages"])
        pages = fields["pages"].list("pages") if "pages" in fields else []
        objective = Objective(
            id=fields["id"].text("id", r"[1-5]\.\d\.\d+", "a number such as 3.3.1"),
            title=fields["title"].text("title"),
            role=fields["role"].text("role", "|".join(ROLES), "owned, touched or none"),
            verified=fields["verified"].text(
                "verified", "guide|reference|transcription", "guide, reference or transcription"
            ),
            pages=tuple(page.text("a page") for page in pages),
            line=entry.line,
        )
        if objective.id in found:
            raise entry.fault(f"objective {objective.id} is listed twice")
        found[objective.id] = objective
    return found


def read_services(root: Path) -> dict[str, Service]:
    """The dated facts by their id; raises FmkitError with file, line and the first fault."""
    found: dict[str, Service] = {}
    for entry in read(root / SERVICES, SERVICES).list("the facts"):
        fields = entry.fields("a fact", ("id", "claim", "verified", "source", "verified_on"))
        service = Service(
            id=fields["id"].text("id", NAME, "lowercase letters, digits and hyphens"),
            claim=fields["claim"].text("claim"),
            verified=fields["verified"].text(
                "verified", "source|reference|unverified", "source, reference or unverified"
            ),
            source=_source(fields["source"]),
            verified_on=fields["verified_on"].text(
                "verified_on",
                r"20\d\d-(0[1-9]|1[0-2])(-[0-3]\d)?",
                'a day or a month in quotes, as "2026-11"',
            ),
        )
        if service.id in found:
            raise entry.fault(f"the id {service.id!r} is already used by a fact above")
        found[service.id] = service
    return found


def proof(item: Item, services: Mapping[str, Service]) -> tuple[Source | None, str]:
    """What proves the key of an item besides its section, and the day or month on which they were compared.

    The day is empty where nobody has noted one.
    """
    day = item.verified_on.isoformat() if item.verified_on else ""
    if item.source:
        return Source(urlsplit(item.source).netloc, item.source), day
    fact = services.get(item.service) if item.service else None
    return (fact.source, day or fact.verified_on) if fact else (None, day)


def _whole(root: Path) -> dict[str, Entry]:
    return read(root / OBJECTIVES, OBJECTIVES).fields("the file", ("exam", "domains", "objectives"))


def _source(entry: Entry) -> Source:
    fields = entry.fields("a source", ["title"], ["url"])
    url = fields["url"].text("url", r"https://\S+", "an https address") if "url" in fields else None
    return Source(fields["title"].text("title"), url)
