"""Scripts of bookkit/web, run by Node.js while the site is built."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from bookkit.site.templates import PACKAGE
from fmkit.errors import FmkitError


def node_js() -> str:
    """The Node.js of the virtual environment, which bootstrap.py puts there where the machine has none."""
    here = Path(sys.executable).parent
    found = shutil.which("node", path=f"{here}{os.pathsep}{os.environ.get('PATH', '')}")
    if not found:
        raise FmkitError(
            "math and diagrams need Node.js, and there is none: run `make html`, which installs it"
        )
    return found


def run(script: str, data: Any) -> Any:
    """What `web/<script>` makes of `data`; both are JSON."""
    run = subprocess.run(
        [node_js(), str(PACKAGE / "web" / script)],
        input=json.dumps(data),
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    if run.returncode:
        raise FmkitError(f"{script} did not run: {run.stderr.strip()}")
    return json.loads(run.stdout)
