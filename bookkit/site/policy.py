"""The content security policy, in every page: a browser runs and loads only what is the site's own.

Scripts are files of the site, and the few lines that set the colors, by their hash; there is no eval, except
of WebAssembly, which the models of the page compute with, in workers made from blobs. Styles may stand in the
markup: formulas and figures have them. `file:` is for pages that were opened as files, where "self" has no
meaning in some browsers; no page of a server may load from there.
"""

import base64
import hashlib
import html
import re

OWN = "'self' file:"
POLICY = {
    "default-src": "'none'",
    "script-src": f"{OWN} 'wasm-unsafe-eval'",
    "worker-src": "blob:",
    "style-src": f"{OWN} 'unsafe-inline'",
    "img-src": f"{OWN} data: blob:",
    "font-src": OWN,
    "connect-src": "'self'",
    "form-action": OWN,
    "base-uri": "'self'",
}
INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)
HANDLER = re.compile(r"<[a-z][^<>]*\son[a-z]+=\"[^>]*>")
PLACE = re.compile(r'<meta charset="utf-8" ?/?>')


def add_policy(page: str, own: str) -> str:
    """A page with the policy, which allows `own`, an inline script."""
    digest = base64.b64encode(hashlib.sha256(own.encode()).digest()).decode()
    policy = POLICY | {"script-src": f"{POLICY['script-src']} 'sha256-{digest}'"}
    content = html.escape("; ".join(f"{name} {value}" for name, value in policy.items()), quote=False)
    meta = f'<meta http-equiv="Content-Security-Policy" content="{content}">'
    return PLACE.sub(lambda charset: f"{charset[0]}\n{meta}", page, count=1)


def refused(page: str, own: str) -> list[str]:
    """The beginnings of what the policy would not run: other inline scripts, and handlers in attributes."""
    scripts = [script for script in INLINE.findall(page) if script != own]
    return [found[:80] for found in [*scripts, *HANDLER.findall(page)]]
