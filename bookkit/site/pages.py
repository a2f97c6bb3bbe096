"""What every page needs: links from two settings, repairs of the theme's markup."""

import os
import re
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlencode

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.jinja2glue import BuiltinTemplateLoader
from sphinx.util import logging

from bookkit.editions import shows_keys
from bookkit.site.card import CARD
from bookkit.site.templates import PACKAGE, render

logger = logging.getLogger(__name__)

STATIC = [PACKAGE / "site" / name for name in ("book.css", "boxes.css", "labs.css", "page.js")] + [CARD]

# The theme's markup, repaired: (pattern, replacement, why). A pattern that matches on no page at all is a
# warning, and so an error: the theme has changed, and the repair must.
REPAIRS = (
    (r'(<html [^>]*data-theme=)"auto"', r'\1"light"', "without scripts, too, the page has its colors"),
    (
        r'<script defer src="[^"]*scripts/fontawesome\.js[^>]*></script>',
        "",
        "1.5 MB of icons as drawings; the theme's style sheet brings the same icons as a font",
    ),
    (
        r'(?s)<script data-cfasync="false">.*?</script>',
        render("site/colors.html"),
        "the colors are right from the first paint, on paper, and where nothing can be stored",
    ),
    (r' onclick="window\.print\(\)"', ' data-fm-click="print"', "a handler in page.js"),
    (r' onclick="toggleFullScreen\(\)"', ' data-fm-click="full-screen"', "a handler in page.js"),
    (
        r'(class="btn search-button-field[^>]*?) title="Search" aria-label="Search"',
        r"\1",
        "its visible text is its name",
    ),
    (
        r'(theme-switch-button[^>]*?)aria-label="Color mode"',
        r'\1aria-label="Colors: light, dark or system"',
        "says what the button does",
    ),
    (
        r'(<i class="theme-switch [^>]*?) title="[^"]*"',
        r"\1",
        "a title on an icon is read out as a second name",
    ),
    (
        r'(<button class="sidebar-toggle (primary|secondary)[^>]*?) title="Toggle \2 sidebar"',
        r'\1 title="Toggle \2 sidebar" aria-label="Toggle \2 sidebar"',
        "Bootstrap takes the title away when it makes the tooltip",
    ),
    (
        r'(<div class="sidebar-primary-item)(">\s*<a class="navbar-brand)',
        r'\1" role="region" aria-label="Book\2',
        "logo",
    ),
)
# The same for what only some pages hold; here the tests of the site notice a repair that no longer works.
CONTENT_REPAIRS = (
    (
        r'(?s)<script type="text/x-thebe-config">.*?</script>\s*<script>kernelName = [^<]*</script>',
        "",
        "settings of thebe, which is not there",
    ),
    (r"(?s)<script>\s*// Activate the search field on page load.*?</script>", "", "a handler in page.js"),
    (
        r'<th(?: scope="col")?></th>',
        "<td></td>",
        "pandas leaves the corner of a table empty, and an empty header names nothing",
    ),
    (r'<summary aria-label="Toggle hidden content">', "<summary>", "its visible text is its name"),
    (r' role="doc-biblioentry"', "", "a role that ARIA has given up"),
    (r'<div role="list" class="citation-list">', '<div class="citation-list">', "a list of no listitem"),
    (
        r'(<svg role="img" aria-label="[^"]*"[^>]*? width="(\d+)")',
        r'\1 style="--width: \2"',
        "book.css keeps the letters of a figure legible",
    ),
    (r'(<input class="task-list-item-checkbox")', r'\1 aria-label="done"', "a box needs a name"),
)


# Scripts of others that use localStorage or sessionStorage, and would end where these are blocked or full.
STORING = (
    "scripts/pydata-sphinx-theme.js",
    "design-tabs.js",
    "searchtools.js",
    "sphinx_highlight.js",
)


class Templates(BuiltinTemplateLoader):
    """Sphinx's templates, with the repairs made on the finished page."""

    used: ClassVar[set[str]] = set()

    def render(self, template: str, context: dict[str, Any]) -> str:  # type: ignore[override]
        page = super().render(template, context)
        for pattern, replacement, _ in REPAIRS + CONTENT_REPAIRS:
            page, count = re.subn(pattern, replacement, page)
            if count:
                self.used.add(pattern)
        return page


def configure(app: Sphinx, config: Config) -> None:
    """Defaults that no page should have to know, and the links that follow from the two public settings."""
    config.template_bridge = "bookkit.site.pages.Templates"
    config.nb_ipywidgets_js = {}  # the default loads scripts from elsewhere
    config.togglebutton_open_on_print = False  # book.css says what paper shows
    config.html_static_path += map(str, STATIC)
    if not shows_keys():
        config.fmkit_public_url = ""  # that is the public site's
    config.html_baseurl = os.environ.get("FMKIT_PUBLIC_URL", config.fmkit_public_url)
    repository: str = os.environ.get("FMKIT_REPOSITORY", config.fmkit_repository).rstrip("/")
    if not shows_keys():
        repository = ""  # it has the keys
    config.fmkit_repository = repository
    config.html_theme_options |= buttons(repository)


# What the theme can do with a repository, by a word in its host's name; asked for more, it warns.
LAUNCHERS = {"notebook_interface": "jupyterlab", "binderhub_url": "https://mybinder.org"}
COLAB = {"colab_url": "https://colab.research.google.com"}
HOSTS = {
    "github": {"use_issues_button": True, "launch_buttons": LAUNCHERS | COLAB},
    "gitlab": {"use_issues_button": True, "launch_buttons": LAUNCHERS},
    "bitbucket": {"use_issues_button": False, "launch_buttons": LAUNCHERS},
}


# The form for a new issue there: its address, and the names of its title and text.
NEW_ISSUE = {
    "github": ("issues/new", "title", "body"),
    "gitlab": ("-/issues/new", "issue[title]", "issue[description]"),
}


def host_of(repository: str) -> str:
    """The word of HOSTS in the host's name; empty for a host that the theme does not know."""
    host = repository.rsplit("/", 2)[0].lower()  # without the owner and the name
    return next((word for word in HOSTS if word in host), "")


def issue_address(repository: str, title: str, text: str) -> str:
    """Where a new issue with this title and text is written; empty where the repository takes none."""
    if host_of(repository) not in NEW_ISSUE:
        return ""
    form, *names = NEW_ISSUE[host_of(repository)]
    return f"{repository}/{form}?{urlencode(dict(zip(names, (title, text), strict=True)))}"


def buttons(repository: str) -> dict[str, Any]:
    """The theme's options for its buttons above a page; there are none for a host that it does not know."""
    word = host_of(repository)
    if not word:
        return {"repository_url": "", "launch_buttons": {}}
    return HOSTS[word] | {
        "repository_url": repository,
        "repository_branch": "main",
        "use_repository_button": True,
    }


def page_context(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """No thebe (it loads from elsewhere), each script once, and none in the page itself: page.js has it."""
    scripts: dict[str, Any] = {}
    for script in context["script_files"]:
        name = str(getattr(script, "filename", script) or getattr(script, "attributes", {}).get("body"))
        inline = not getattr(script, "filename", script) and "type" not in script.attributes
        if "thebe" not in name.lower() and not inline:
            scripts.setdefault(name, script)
    context["script_files"] = list(scripts.values())
    context["css_files"] = [style for style in context["css_files"] if "thebe" not in str(style.filename)]


def finish(app: Sphinx, error: Exception | None) -> None:
    """Scripts that survive without storage; no repair may have gone stale."""
    if error or app.builder.name != "html":
        return
    for name in STORING:
        script = Path(app.outdir) / "_static" / name
        text = script.read_text(encoding="utf-8")
        safe = text.replace("localStorage", "themeStorage").replace("sessionStorage", "tabStorage")
        if safe == text:
            logger.warning("%s stores nothing anymore: leave it out of STORING", name)
        script.write_text(safe, encoding="utf-8")
    for pattern, _, why in REPAIRS:
        if pattern not in Templates.used:
            logger.warning("a repair of the theme matched nowhere (%s): %s", why, pattern)


def setup(app: Sphinx) -> None:
    app.add_config_value("fmkit_public_url", "", "html")
    app.add_config_value("fmkit_repository", "", "html")
    app.add_css_file("book.css", priority=900)
    app.add_js_file("page.js", priority=100)
    app.connect("config-inited", configure, priority=100)
    app.connect("html-page-context", page_context, priority=950)
    app.connect("build-finished", finish, priority=950)
