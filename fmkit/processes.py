"""Other processes: one that writes to the same place, and those that a launcher started beside this one.

torchrun tells each process what `fmkit.parallel` needs to connect them; other launchers only start copies.
"""

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
TORCHRUN = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")  # PyTorch's "env://" reads them
SKIPPED = 1  # on Windows, nobody else can read the byte that is locked: the first


def count_processes() -> int:
    """Return how many processes train one model, as torchrun says; 1 where there is none but this one.

    Raises `FmkitError` where others were started that are not connected: each would train a copy.
    """
    connected = all(name in os.environ for name in TORCHRUN)
    size = _several("WORLD_SIZE") if connected else 1
    if size > 1 and "ACCELERATE_MIXED_PRECISION" in os.environ:
        raise FmkitError("fmkit reads no settings of accelerate: start it by torchrun instead")
    # Under srun, one torchrun a machine connects them all, or each only the processes of its own machine.
    if size == 1 or os.environ.get("GROUP_WORLD_SIZE") == "1":
        others = [name for name in WORLD_SIZES if name != "WORLD_SIZE" or not connected]
        for name, copies in [(name, count) for name in others if (count := _several(name)) > 1]:
            raise FmkitError(
                f"{name}={copies}: {copies} processes would train {copies} unconnected copies: start them by "
                f"torchrun (on several machines with --nnodes), or unset {name} where the runs are separate"
            )
    return size


def _several(name: str) -> int:
    count = os.environ.get(name, "")
    return int(count) if count.isdecimal() else 1


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
            f"fmkit: {path}: no lock on this file system ({error.strerror}): make sure nothing else "
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
