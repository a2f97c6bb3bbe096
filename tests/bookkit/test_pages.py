"""The links of every page that follow from where the book's source is."""

import re
from pathlib import Path

import pytest
import tiny

from bookkit.site.pages import buttons

PAGE = "# A page\n\nText.\n\n```{install}\n```\n"
GITHUB, GITLAB = "https://github.com/example/book", "https://gitlab.com/example/book"
OTHERS = [GITLAB, "https://bitbucket.org/example/book", "https://example.org/book"]
LINK = re.compile(r'href="([^"]*)"')


@pytest.mark.slow
@pytest.mark.parametrize("url", OTHERS)
def test_a_source_of_any_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """The book builds without a warning, and its front page leads to the source."""
    book = tiny.write(tmp_path, PAGE)
    monkeypatch.setenv("FMKIT_REPOSITORY", f"{url}/")
    page = (tiny.build(book) / "chapters/intro.html").read_text()
    links = [link for link in LINK.findall(page) if link.startswith(url)]
    assert url in links
    assert any("issue" in link for link in links) == (url == GITLAB)
    assert f"git clone {url} book" in re.sub("<[^>]*>", "", page)


def test_buttons_of_a_known_host() -> None:
    assert buttons(GITHUB)["repository_url"] == GITHUB
    assert "colab_url" in buttons(GITHUB)["launch_buttons"]
    assert "colab_url" not in buttons(GITLAB)["launch_buttons"]


def test_no_buttons_of_a_strange_host() -> None:
    """Also where only the owner is called after a host."""
    for url in ("https://example.org/github/book", "https://github.com/example", ""):
        assert buttons(url) == {"repository_url": "", "launch_buttons": {}}
