"""A check of run time that works on a busy machine: 16 times the text takes about 16 times as long."""

import time
from collections.abc import Callable


def grows_like_its_length(function: Callable[[str], object], piece: str, length: int = 4_000) -> None:
    """Assert that time grows with the length; the limit is 80, and a quadratic function takes 256 times."""
    short = piece * (length // len(piece))
    assert _seconds(function, short * 16) < 80 * max(_seconds(function, short), 20e-6), (function, piece)


def _seconds(function: Callable[[str], object], text: str) -> float:
    times = []
    for _ in range(3):
        start = time.process_time()
        function(text)
        times.append(time.process_time() - start)
    return min(times)
