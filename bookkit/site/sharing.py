"""What others see of the book: what a page is about, its picture, the site map, the page of a dead link."""

from html import escape
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape as xml_escape

from docutils import nodes
from markupsafe import Markup
from sphinx.application import Sphinx

from bookkit.site.card import CARD, HEIGHT, TEXT, WIDTH
from bookkit.site.templates import render

LONGEST = 200  # characters of a description; search engines and messengers show about so many
REDIRECT = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<link rel="icon" href="{icon}"><meta http-equiv="refresh" content="0; url={url}"></head>
<body><main><h1>{title}</h1><p><a href="{url}">Open the book</a></p></main></body></html>
"""


def describe(doctree: nodes.document) -> str:
    """The page's first paragraph of its own, not that of a box, as far as whole words fit."""
    own = (
        node.astext() for node in doctree.findall(nodes.paragraph) if isinstance(node.parent, nodes.section)
    )
    text = " ".join(next(own, "").split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1].rpartition(' ')[0]}…"


def add_description(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """The page's description and its card; a page without text of its own has the book's description."""
    description = describe(doctree) if doctree is not None else ""
    if not description:
        description = describe(app.env.get_doctree(app.config.root_doc))
    title = Markup(context.get("title", "")).striptags() or app.config.html_title
    tags = [("name", "description", description), *card(app, page, title, description)]
    context["metatags"] = context.get("metatags", "") + "".join(
        f'<meta {kind}="{name}" content="{escape(str(value))}" />\n' for kind, name, value in tags
    )


def card(app: Sphinx, page: str, title: str, description: str) -> list[tuple[str, str, str | int]]:
    """What a site that links here shows of the page; a picture needs the book's address."""
    tags: list[tuple[str, str, str | int]] = [
        ("property", "og:type", "article"),
        ("property", "og:site_name", app.config.html_title),
        ("property", "og:title", title),
        ("property", "og:description", description),
        ("name", "twitter:card", "summary_large_image" if app.config.html_baseurl else "summary"),
    ]
    if app.config.html_baseurl:
        tags += [
            ("property", "og:url", public_url(app, app.builder.get_target_uri(page))),
            ("property", "og:image", public_url(app, f"_static/{CARD.name}")),
            ("property", "og:image:width", WIDTH),
            ("property", "og:image:height", HEIGHT),
            ("property", "og:image:alt", TEXT),
        ]
    return tags


def public_url(app: Sphinx, address: str) -> str:
    return f"{app.config.html_baseurl.rstrip('/')}/{address}"


def finish(app: Sphinx, error: Exception | None) -> None:
    """The address `/`, the page of dead links, and the site map."""
    if error or app.builder.name != "html":
        return
    url = app.builder.get_target_uri(app.config.root_doc)
    out = Path(app.outdir)
    title, icon = app.config.html_title, f"_static/{Path(app.config.html_favicon).name}"
    (out / "index.html").write_text(
        REDIRECT.format(title=escape(title), url=url, icon=icon), encoding="utf-8"
    )
    lost = render("site/lost.html", book=title, icon=icon, url=url, base=app.config.html_baseurl)
    (out / "404.html").write_text(lost, encoding="utf-8")
    if app.config.html_baseurl:
        pages = (public_url(app, app.builder.get_target_uri(page)) for page in sorted(app.env.found_docs))
        places = "".join(f"<url><loc>{xml_escape(page)}</loc></url>" for page in pages)
        sitemap = f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{places}</urlset>'
        (out / "sitemap.xml").write_text(
            f'<?xml version="1.0" encoding="utf-8"?>{sitemap}\n', encoding="utf-8"
        )


def setup(app: Sphinx) -> None:
    app.connect("html-page-context", add_description)
    app.connect("build-finished", finish)
