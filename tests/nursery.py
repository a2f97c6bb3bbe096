"""Runs `fmkit` commands in forked children of one process that has torch imported already.

So real processes start in milliseconds. Each line of standard input is a JSON list: a file for what the
command prints, and its arguments. The answer is a line with the child's process id and, when it has ended,
one with its exit code.
"""

import contextlib
import json
import os
import sys

import fmkit.recipes  # noqa: F401 - torch with it, which a command imports only when it runs
from fmkit.cli import main

for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        code = 1
        output, *arguments = json.loads(line)
        with contextlib.suppress(SystemExit), open(output, "w") as stream:
            os.dup2(stream.fileno(), 1)
            code = main(arguments)
            sys.stdout.flush()
        os._exit(code)
    print(pid, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
