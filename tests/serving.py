"""A server in a process of its own, as `fmkit serve` starts it."""

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

FMKIT = Path(sys.executable).with_name("fmkit")


class Server:
    """What a test knows of the process: its address, and all that it has logged."""

    def __init__(self, process: subprocess.Popen[str], log: IO[bytes]) -> None:
        self.process, self.log_file = process, log
        assert process.stdout is not None
        self.told = process.stdout.readline()
        found = re.search(r"http://\S+?:\d+", self.told)
        assert found, self.log
        self.url = found[0]

    @property
    def log(self) -> str:
        self.log_file.seek(0)
        return self.log_file.read().decode()

    def end(self) -> int:
        """Ask it to end; return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


@contextlib.contextmanager
def serving(model: Path | str, *options: str, key: str | None = None) -> Iterator[Server]:
    environment = {name: value for name, value in os.environ.items() if name != "FMKIT_API_KEY"}
    if key is not None:
        environment["FMKIT_API_KEY"] = key
    with TemporaryFile() as log:
        command = [FMKIT, "serve", str(model), "--port", "0", *options]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment)
        try:
            yield Server(process, log)
        finally:
            process.kill()
            process.wait()
