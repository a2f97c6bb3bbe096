"""Scripts of the site, run in Node without a page."""

import json
import subprocess
from typing import Any

from bookkit.engine.bundle import LOADER
from bookkit.site import node
from bookkit.site.scripts import script, sources
from fmkit.widgets.modules import needed


def run_script(module: str, ask: str) -> Any:
    """What the expression `ask` is in Node, where `it` is a module of the site's scripts."""
    modules = "".join(script(name) for name in needed(module, sources()))
    code = f"{LOADER}{modules}const it = fmkit.modules.{module};console.log(JSON.stringify({ask}));"
    return json.loads(
        subprocess.run([node.node_js(), "-"], input=code, capture_output=True, text=True, check=True).stdout
    )
