"""A check of scaling that a busy machine does not upset: 16 times the text in 16 times the time."""

import time
from collections.abc import Callable


def grows_like_its_length(function: Callable[[str], object], piece: str, length: int = 4_000) -> None:
    """A quadratic function would take 256 times as long; the line is drawn between, at 80."""
    short = piece * (length // len(piece))
    assert _seconds(function, short * 16) < 80 * max(_seconds(function, short), 20e-6), (function, piece)


def _seconds(function: Callable[[str], object], text: str) -> float:
    times = []
    for _ in range(3):
        start = time.process_time()
        function(text)
        times.append(time.process_time() - start)
    return min(times)
