"""Set-up, build and server: what happens when something is missing, taken, old or full."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError

import pytest
import tiny

from bookkit.__main__ import main
from bookkit.site import build as building
from bookkit.site.serve import FIRST_PORT, TRIES, open_server
from fmkit.errors import FmkitError

ROOT = Path(__file__).parents[2]
DECLARATIONS = (
    "bootstrap.py",
    "pyproject.toml",
    "bookkit/pyproject.toml",
    "constraints.txt",
    "bookkit/web/package-lock.json",
)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """As much of the repository as bootstrap.py needs, without a .venv."""
    for name in DECLARATIONS:
        copy = tmp_path / "checkout" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, copy)
    return tmp_path / "checkout"


def bootstrap(folder: Path, *before: str, **environment: str) -> tuple[int, list[str]]:
    """The exit code, and the lines of stderr."""
    command = [*before, sys.executable, "bootstrap.py", "book"]
    run = subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, timeout=300
    )
    return run.returncode, run.stderr.splitlines()


def test_an_old_python_is_told_what_it_needs(checkout: Path) -> None:
    import ast

    ast.parse((ROOT / "bootstrap.py").read_text(), feature_version=(3, 6))
    pretend = "import sys; sys.version_info = (3, 8, 10); sys.argv = ['bootstrap.py', 'book'];"
    code = f"{pretend} import runpy; runpy.run_path('bootstrap.py', run_name='__main__')"
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=checkout,
        env={**os.environ, "PATH": ""},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 2
    assert re.fullmatch(r"Python 3\.11 to 3\.13 is needed, this is 3\.8: .*\n", run.stderr)
    assert not (checkout / ".venv").exists()


def closed_port() -> str:
    """The address of a server that is not there."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/simple"


@pytest.fixture
def offline() -> dict[str, str]:
    return {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": closed_port(), "PIP_RETRIES": "1"} | {
        name: "" for name in os.environ if name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS")
    }


@pytest.mark.slow
def test_no_network(checkout: Path, offline: dict[str, str]) -> None:
    code, lines = bootstrap(checkout, **offline)
    assert code == 2
    assert len(lines) == 1
    assert lines[0].startswith("No network")
    assert not (checkout / ".venv/bootstrap.ok").exists()


def test_no_venv_module(checkout: Path) -> None:
    """As on a Debian without python3-venv."""
    (checkout / "broken/venv").mkdir(parents=True)
    (checkout / "broken/venv/__init__.py").touch()
    (checkout / "broken/venv/__main__.py").write_text("raise SystemExit('ensurepip is not available')")
    code, lines = bootstrap(checkout, PYTHONPATH=str(checkout / "broken"))
    assert (code, len(lines)) == (2, 1)
    assert "python3-venv" in lines[0]


@pytest.mark.slow
def test_disk_full(checkout: Path) -> None:
    """In a file system of 3 MB of its own."""
    small = "mkdir -p ../small && mount -t tmpfs -o size=3m tmpfs ../small && cp -r . ../small && cd ../small"
    mount = ["unshare", "-rm", "sh", "-c", f'{small} && exec "$@"', "sh"]
    if not shutil.which("unshare") or subprocess.run([*mount, "true"], cwd=checkout).returncode:
        pytest.skip("this machine does not let a test mount a small file system")
    code, lines = bootstrap(checkout, *mount)
    assert (code, len(lines)) == (2, 1)
    assert lines[0].startswith("The disk is full")


@pytest.mark.slow
def test_an_interrupted_install_is_redone(checkout: Path, offline: dict[str, str]) -> None:
    """A killed set-up leaves its mark; the next one starts from a new environment."""
    leftover = checkout / ".venv/lib/half-a-package"
    leftover.mkdir(parents=True)
    (checkout / ".venv/bootstrap.unfinished").touch()
    assert bootstrap(checkout, **offline)[0] == 2
    assert not leftover.exists()
    assert (checkout / ".venv/bin/python").exists()


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A book of one page that counts as built."""
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: intro\n")
    (tmp_path / "_build/html").mkdir(parents=True)
    (tmp_path / "_build/html/intro.html").write_text("<p>hello</p>")
    (tmp_path / "_build/fingerprint").write_text(building.fingerprint(tmp_path))
    return tmp_path


def test_nothing_changed_nothing_built(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    building.build(book)
    assert "Nothing changed" in capsys.readouterr().out


def test_a_change_rebuilds(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = building.fingerprint(book)
    monkeypatch.setenv("FMKIT_PUBLIC_URL", "https://example.org/book")
    with_address = building.fingerprint(book)
    (book / "chapters").mkdir()
    (book / "chapters/new.md").write_text("# New")
    assert len({before, with_address, building.fingerprint(book)}) == 3


def test_a_missing_page_is_an_error(book: Path) -> None:
    (book / "_build/html/intro.html").unlink()
    with pytest.raises(FmkitError, match="did not come out: intro"):
        building.build(book)


@pytest.mark.slow
def test_a_failed_build_ends_with_warnings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where a log is cut off last; and nothing else is among them."""
    page = "# Faults\n\nSee [there](nowhere.md) and {term}`nothing`.\n\n```{mermaid}\nflowchart LR\n```\n"
    with pytest.raises(FmkitError, match="The book was not built"):
        tiny.build(tiny.write(tmp_path, page))
    *output, one, two, three = capsys.readouterr().err.splitlines()
    told = [line.rpartition("chapters/intro.md:")[2] for line in (one, two, three)]
    assert told == [
        "5: ERROR: a diagram needs :alt:, the sentence that a screen reader says in its place",
        "3: WARNING: 'myst' cross-reference target not found: 'nowhere.md' [myst.xref_missing]",
        "3: WARNING: term not in glossary: 'nothing'",
    ]
    assert "\x1b" not in "".join(output)
    assert not [line for line in output if "INFO" in line]


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that someone else listens on."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def test_the_next_free_port(book: Path, taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bookkit.site.serve.FIRST_PORT", taken)
    with open_server(book) as server:
        assert taken < server.server_port < taken + TRIES
    assert FIRST_PORT == 8000


def test_a_taken_port(taken: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--port", str(taken)]) == 2
    assert (
        capsys.readouterr().err
        == f"Port {taken} is not free: choose another one, as in  make book PORT=9000\n"
    )


def test_types_of_modules_and_fonts(tmp_path: Path) -> None:
    """Browsers refuse a module under any other type."""
    for name in ("a.mjs", "a.woff"):
        (tmp_path / name).touch()
    with open_server(tmp_path) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        types = [
            urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/{name}").headers["Content-Type"]
            for name in ("a.mjs", "a.woff")
        ]
        server.shutdown()
    assert types == ["text/javascript", "font/woff"]


def test_a_dead_link_meets_the_book(tmp_path: Path) -> None:
    """At any depth, and where the book was built for another address."""
    page = '<head>\n<base href="https://example.org/book/">\n</head>Search the book'
    (tmp_path / "404.html").write_text(page)
    with open_server(tmp_path) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        with pytest.raises(HTTPError) as caught:
            urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/chapters/gone.html")
        server.shutdown()
    assert caught.value.code == 404
    assert caught.value.read().decode() == page.replace("https://example.org/book/", "/")


def test_ctrl_c_ends_the_server_quietly(book: Path) -> None:
    code = "import sys; from pathlib import Path; from bookkit import __main__ as m;"
    code += f"m.ROOT = Path({str(book)!r}); sys.exit(m.main(['serve']))"
    server = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(
            signal.SIGINT, signal.SIG_DFL
        ),  # a shell's background job ignores it
    )
    assert server.stdout
    assert server.stdout.readline().startswith("The book is at http://127.0.0.1:")
    server.send_signal(signal.SIGINT)
    _, errors = server.communicate(timeout=20)
    assert (server.returncode, errors) == (0, "")
