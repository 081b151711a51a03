"""Atomic writing: a file is written completely or not at all."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any


@contextlib.contextmanager
def whole_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path, whose file replaces `path` if the block succeeds.

    The folder of `path` exists. OSError if it cannot be written; an earlier file is unchanged.
    """
    # In the folder of the target: a rename does not cross file systems.
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        # mkstemp creates files that only the owner can read.
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def whole_file(path: Path, mode: str = "wb", **options: Any) -> Iterator[IO[Any]]:
    """Open a temporary file, which replaces `path` if the block succeeds; see `whole_path`."""
    with whole_path(path) as temporary, temporary.open(mode, **options) as file:
        yield file


def write_whole(path: Path, content: bytes) -> None:
    """Write a file atomically: readers see the old content or all of the new; see `whole_path`.

    >>> folder = Path(tempfile.mkdtemp())
    >>> write_whole(folder / "a.txt", b"all of it")
    >>> [file.read_bytes() for file in folder.iterdir()]
    [b'all of it']
    """
    with whole_file(path) as file:
        file.write(content)
