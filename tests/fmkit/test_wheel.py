"""The wheel alone, in an environment that has what fmkit's core requires and nothing else."""

import os
import re
import shutil
import subprocess
import sys
import venv
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

from bookkit.site.assets import publish

ROOT = Path(__file__).parents[2]
NOT_SOURCES = shutil.ignore_patterns("__pycache__", "node_modules")
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")

pytestmark = pytest.mark.slow


def run(*command: str | Path, folder: Path, **settings: str) -> str:
    """What a command prints, started in a folder outside the checkout."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        command, cwd=folder, env=inherited | settings, text=True, capture_output=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy of the checkout, without what an earlier build may have left there."""
    folder = tmp_path_factory.mktemp("wheel")
    for package in ("fmkit", "bookkit"):
        shutil.copytree(ROOT / package, folder / "source" / package, ignore=NOT_SOURCES)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / "source")
    run(*PIP, "wheel", "--no-deps", "--no-index", "--no-build-isolation", "./source", folder=folder)
    return next(folder.glob("*.whl"))


def required_by(package: Distribution, extras: frozenset[str] = frozenset()) -> dict[str, Distribution]:
    """The installed packages that a package requires, directly or through others."""
    found: dict[str, Distribution] = {}
    waiting = [(package, extras)]
    for one, wanted in waiting:
        for requirement in map(Requirement, one.requires or ()):
            marker = requirement.marker
            if marker and not any(marker.evaluate({"extra": extra}) for extra in ("", *wanted)):
                continue
            if requirement.name not in found or requirement.extras:
                found[requirement.name] = distribution(requirement.name)
                waiting.append((found[requirement.name], frozenset(requirement.extras)))
    return found


@pytest.fixture(scope="module")
def environment(wheel: Path) -> Path:
    """The folder of programs of a new virtual environment.

    The wheel is installed in it; what it requires is linked from the environment of the tests, package by
    package, so that nothing is downloaded and nothing else can be imported.
    """
    folder = wheel.parent / "venv"
    venv.create(folder, symlinks=True)
    run(*PIP, "--python", folder, "install", "--no-deps", "--no-index", wheel, folder=wheel.parent)
    site = next(folder.glob("lib/python*/site-packages"))
    (fmkit,) = distributions(name="fmkit", path=[str(site)])
    for package in required_by(fmkit).values():
        for top in {file.parts[0] for file in package.files or ()} - {"..", "__pycache__"}:
            if not (site / top).exists():
                (site / top).symlink_to(Path(str(package.locate_file(top))))
    return folder / "bin"


def test_wheel_holds_fmkit_alone(wheel: Path) -> None:
    """Every file of fmkit/ (grammars, scripts, styles, py.typed), and none of anything else."""
    packed = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}
    files = {path for path in (ROOT / "fmkit").rglob("*") if path.is_file()}
    assert packed == {str(path.relative_to(ROOT)) for path in files if path.suffix != ".pyc"}
    assert {"fmkit/py.typed", "fmkit/widgets/web/plot.js"} <= packed
    assert not [name for name in packed if "quiz" in name]


def test_wheel_requires_what_it_needs(environment: Path, tmp_path: Path) -> None:
    assert run(*PIP, "--python", environment.parent, "check", folder=tmp_path)


@pytest.mark.parametrize("name", ["bookkit", "sphinx", "matplotlib", "transformers", "pytest"])
def test_wheel_comes_without(name: str, environment: Path, tmp_path: Path) -> None:
    code = f"import importlib.util as u; print(u.find_spec('fmkit').origin, u.find_spec('{name}'))"
    origin, found = run(environment / "python", "-c", code, folder=tmp_path).split()
    assert (Path(origin).is_relative_to(environment.parent), found) == (True, "None")


def test_wheel_trains_from_a_shell(environment: Path, tmp_path: Path) -> None:
    train = ("pretrain", "--corpus", "stories", "--steps", "3", "--out", "my-model")
    run(environment / "fmkit", *train, folder=tmp_path)
    told = run(environment / "fmkit", "generate", "my-model", "--prompt", "Once upon a time", folder=tmp_path)
    assert "Once upon a time" in told


def test_wheel_runs_the_lines_of_readme(environment: Path, tmp_path: Path) -> None:
    """All but the plot, which says what it needs."""
    lines, *_ = re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text(), re.M | re.S)
    lines = re.sub(r"steps=\d+", "steps=3", lines)
    assert "run.plot()\n" in lines
    refused = "import fmkit\ntry: run.plot()\nexcept fmkit.FmkitError as error: print(error)\n"
    told = run(environment / "python", "-c", lines.replace("run.plot()\n", refused), folder=tmp_path)
    assert told.startswith("figures need matplotlib: pip install 'fmkit[notebook]'\nOnce upon a time")


def test_wheel_gets_the_data_of_the_book(environment: Path, tmp_path: Path) -> None:
    """From the site that the book publishes, as a notebook does on a hosted kernel."""
    publish(ROOT / "assets", tmp_path / "site" / "assets")
    settings = {"FMKIT_PUBLIC_URL": (tmp_path / "site").as_uri(), "HF_HOME": str(tmp_path / "cache")}
    code = "import fmkit; print(fmkit.asset('runs/scaling.json').read_text())"
    told = run(environment / "python", "-c", code, folder=tmp_path, **settings)
    assert told.strip() == (ROOT / "assets/runs/scaling.json").read_text().strip()
    assert list((tmp_path / "cache").rglob("scaling.json"))
