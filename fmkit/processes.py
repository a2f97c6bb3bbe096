"""Other processes: one that writes to the same place, and those that a launcher started beside this one."""

import datetime
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import lock_descriptor

from fmkit.errors import FmkitError

# What launchers tell each of the processes that they start: how many there are. In turn: torchrun, accelerate
# and DeepSpeed; Open MPI; MPICH and Intel MPI; MVAPICH; srun.
WORLD_SIZES = (
    "WORLD_SIZE",
    "OMPI_COMM_WORLD_SIZE",
    "PMI_SIZE",
    "MV2_COMM_WORLD_SIZE",
    "SLURM_STEP_NUM_TASKS",
)
SKIPPED = 1  # on Windows, nobody else can read the byte that is locked: the first


def require_one_process() -> None:
    """Raise `FmkitError` where a launcher has started several processes: each would train a copy."""
    for name in WORLD_SIZES:
        size = os.environ.get(name, "")
        if size.isdecimal() and int(size) > 1:
            raise FmkitError(
                f"{name}={size}: {size} processes would train {size} unconnected copies, as fmkit trains in "
                f"one process: start it without the launcher, or unset {name} where the runs are separate"
            )


@contextmanager
def only_writer(path: str | Path, what: str = "") -> Iterator[None]:
    """Keep others that ask, processes and threads, from writing a file, or `what` in a directory, meanwhile.

    The lock is on a hidden file beside the file, or in the directory, which says who holds it and is removed
    at the end. The system ends the lock with the process, however that ends, so the file that a killed one
    has left is not locked. Processes on other machines see the lock where a network file system shares it. A
    file system without locks is reported on standard error. Raises `FmkitError` naming the process that is
    writing, and if the hidden file cannot be made.
    """
    path = Path(path)
    lock = path / f".{what}.lock" if what else path.with_name(f".{path.name}.lock")
    try:
        descriptor = _take(lock, path)
    except OSError as error:
        raise FmkitError(f"{path}: cannot be written: {error.strerror}: check the path") from None
    try:
        yield
    finally:
        with suppress(OSError):  # Windows removes no open file
            lock.unlink()
        os.close(descriptor)


def _take(lock: Path, path: Path) -> int:
    while True:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            if not _is_locked(descriptor, path):
                raise FmkitError(
                    f"{path}: is being written by {_holder(descriptor)}: let it end, or name another place"
                )
            if _is_there(lock, descriptor):  # else its last holder has just removed it
                _sign(descriptor)
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _is_locked(descriptor: int, path: Path) -> bool:
    try:
        return lock_descriptor(descriptor, blocking=False)
    except OSError as error:
        print(
            f"fmkit: {path}: no lock on this file system ({error.strerror}): see to it that nothing else "
            "writes here",
            file=sys.stderr,
        )
        return True


def _is_there(lock: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(lock), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _sign(descriptor: int) -> None:
    """Write who holds the lock into its file; a full disk must not keep a run from going on."""
    since = datetime.datetime.now(datetime.UTC)
    name = f"process {os.getpid()} on {platform.node() or 'this machine'} since {since:%Y-%m-%d %H:%M} UTC"
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, SKIPPED, os.SEEK_SET)
        os.write(descriptor, name.encode())


def _holder(descriptor: int) -> str:
    with suppress(OSError):
        os.lseek(descriptor, SKIPPED, os.SEEK_SET)
        return os.read(descriptor, 200).decode(errors="replace") or "another process"
    return "another process"
