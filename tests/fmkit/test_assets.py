"""The book's data outside a checkout: from a site on this machine, into an empty cache."""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import fmkit
from bookkit.site.assets import publish
from fmkit import FmkitError, asset, assets

ROOT = Path(__file__).parents[2]


class Quiet(SimpleHTTPRequestHandler):
    """Serves files, and counts the requests."""

    asked: list[str]

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self.asked.append(self.path)
        super().do_GET()


class Site:
    """A site that publishes a run, a text and a model of two files."""

    def __init__(self, folder: Path) -> None:
        self.source, self.folder = folder / "source", folder / "site"
        for name in ("runs/one.json", "texts/log.txt", "models/base/config.json", "models/base/README.md"):
            self.write(name, f"this is {name}")
        self.asked: list[str] = []
        handler = type("Handler", (Quiet,), {"asked": self.asked})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(self.folder)))
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def write(self, name: str, text: str) -> None:
        (self.source / name).parent.mkdir(parents=True, exist_ok=True)
        (self.source / name).write_text(text)
        publish(self.source, self.folder / "assets")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    threading.Thread(target=site.server.serve_forever, args=(0.01,), daemon=True).start()
    yield site
    site.server.shutdown()
    site.server.server_close()


@pytest.fixture
def outside(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory with no checkout around it or fmkit; the cache is `tmp_path/cache`."""
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    monkeypatch.setattr(assets, "BESIDE", tmp_path / "empty")
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setenv("FMKIT_PUBLIC_URL", f"{site.url}/")
    return tmp_path / "cache"


def test_in_a_checkout_it_is_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT / "chapters")
    assert asset("runs/lab.json") == ROOT / "assets/runs/lab.json"
    monkeypatch.chdir("/")
    assert asset("models/base") == ROOT / "assets/models/base"


def test_the_checkout_around_it_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "_toc.yml").touch()
    (tmp_path / "assets/one.txt").touch()
    (tmp_path / "chapters").mkdir()
    monkeypatch.chdir(tmp_path / "chapters")
    assert asset("one.txt") == tmp_path / "assets/one.txt"


def test_a_file_is_downloaded_once(site: Site, outside: Path) -> None:
    found = asset("runs/one.json")
    assert found.read_text() == "this is runs/one.json"
    assert found.is_relative_to(outside)
    assert site.asked == ["/assets/index.json", "/assets/runs/one.json"]
    site.server.shutdown()
    assert asset("runs/one.json") == found
    assert len(site.asked) == 2


def test_a_folder_is_downloaded_whole(site: Site, outside: Path) -> None:
    found = asset("models/base")
    assert sorted(path.name for path in found.iterdir()) == ["README.md", "config.json"]
    assert "/assets/runs/one.json" not in site.asked


def test_a_damaged_copy_is_downloaded_again(site: Site, outside: Path) -> None:
    found = asset("runs/one.json")
    found.write_text("this is")
    assert asset("runs/one.json").read_text() == "this is runs/one.json"
    (found.parents[1] / "index.json").write_text("{")
    assert asset("runs/one.json").read_text() == "this is runs/one.json"


def test_new_files_of_the_site_are_found(site: Site, outside: Path) -> None:
    asset("runs/one.json")
    site.write("runs/two.json", "new")
    assert asset("runs/two.json").read_text() == "new"


def test_nothing_half_written_is_left(site: Site, outside: Path) -> None:
    asset("models/base")
    names = {path.name for path in outside.rglob("*") if path.is_file()}
    assert names == {"README.md", "config.json", "index.json"}


def spoil(site: Site, name: str) -> None:
    (site.folder / "assets" / name).write_text("spoiled")


@pytest.mark.parametrize(
    ("change", "path", "message"),
    [
        (lambda site: None, "runs/no.json", r"^runs/no\.json: not on http"),
        (lambda site: spoil(site, "runs/one.json"), "runs/one.json", r"one\.json: damaged in transit"),
        (lambda site: spoil(site, "index.json"), "runs/one.json", "not an index of the book's data"),
        (
            lambda site: (site.folder / "assets/index.json").write_text('{"../../x": ""}'),
            "../../x",
            "not an index of the book's data",
        ),
        (
            lambda site: (site.folder / "assets/runs/one.json").unlink(),
            "runs/one.json",
            r"one\.json: cannot be downloaded: Not Found|File not found",
        ),
    ],
)
def test_a_fault_of_the_site_is_one_line(site: Site, outside: Path, change, path: str, message: str) -> None:
    change(site)
    with pytest.raises(FmkitError, match=message) as error:
        asset(path)
    assert "\n" not in str(error.value)
    assert not list(outside.rglob("one.json"))


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "start in a checkout of the book, or set FMKIT_PUBLIC_URL"),
        ("http://127.0.0.1:9", "cannot be downloaded: .*refused"),
        ("the book", "cannot be downloaded: unknown url type"),
    ],
)
def test_a_wrong_address_is_one_line(outside: Path, url: str, message: str, monkeypatch) -> None:
    monkeypatch.setenv("FMKIT_PUBLIC_URL", url)
    with pytest.raises(FmkitError, match=message) as error:
        asset("runs/one.json")
    assert "\n" not in str(error.value)


def test_a_cache_that_cannot_be_written(outside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(FmkitError, match="cannot be written: No space left"):
        asset("runs/one.json")


@pytest.mark.slow
def test_fmkit_alone_in_an_empty_folder(site: Site, tmp_path: Path) -> None:
    """As in a hosted kernel: the package is elsewhere, and nothing of the checkout can be reached."""
    installed = tmp_path / "installed"
    shutil.copytree(Path(fmkit.__file__).parent, installed / "fmkit")
    (tmp_path / "empty").mkdir()
    shutil.copyfile(ROOT / "assets/runs/forgetting.json", site.source / "runs/forgetting.json")
    publish(site.source, site.folder / "assets")
    code = (
        "import fmkit; from fmkit.records import made_by; print(fmkit.__file__, fmkit.asset('models/base'), "
        "made_by('forgetting'), sep='\\n')"
    )
    environment = os.environ | {
        "FMKIT_PUBLIC_URL": site.url,
        "HF_HOME": str(tmp_path / "home"),
        "PYTHONPATH": str(installed),
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path / "empty",
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    package, model, *made = done.stdout.splitlines()
    assert Path(package).is_relative_to(installed)
    assert Path(model).is_relative_to(tmp_path / "home")
    assert made[0] == "python -m bookkit.experiments forgetting"
    assert made[1].startswith("21 runs")


def test_the_index_is_of_the_published_files(site: Site) -> None:
    index = json.loads((site.folder / "assets/index.json").read_text())
    assert sorted(index) == [
        "models/base/README.md",
        "models/base/config.json",
        "runs/one.json",
        "texts/log.txt",
    ]
