"""The base class of widgets: a stable name, and messages between the page and the kernel."""

import itertools
from collections import defaultdict
from typing import Any

from fmkit.errors import FmkitError

try:
    import anywidget
    import traitlets
    from ipywidgets import Layout
except ImportError:
    raise FmkitError("widgets need anywidget: pip install 'fmkit[notebook]'") from None

_numbers: dict[str, Any] = defaultdict(lambda: itertools.count(1))  # of the widgets of each class


class Widget(anywidget.AnyWidget):
    """A widget whose front end is its class's `_esm`, an ES module (see `fmkit.widgets.modules`).

    The front end sends {"type": "ping"} when it is rendered; only a kernel answers, with `hello`.
    Any other message {"type": "x", ...} calls the method `on_x` with its other fields.
    """

    # One sentence: the printed form of the widget, and its name for a screen reader.
    description = traitlets.Unicode().tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        # The same names in every run of a notebook, so that its saved state is the same too.
        kind = type(self).__name__
        name = f"fmkit-{kind}-{next(_numbers[kind])}"
        super().__init__(model_id=name, layout=Layout(model_id=f"{name}-layout"), **traits)
        self.on_msg(self._receive)

    def __repr__(self) -> str:
        return self.description

    def _receive(self, _: Any, message: dict[str, Any], __: Any) -> None:
        content = dict(message)
        kind = content.pop("type")
        if kind == "ping":
            self.send({"type": "pong", **self.hello()})
        else:
            getattr(self, f"on_{kind}")(**content)

    def hello(self) -> dict[str, Any]:
        """What a front end needs to know when it is first rendered, or rendered again after a reload."""
        return {}
