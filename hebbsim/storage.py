"""Atomic writing: a file is written completely or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

__all__ = ["whole_file", "write_whole"]


@contextlib.contextmanager
def whole_file(path: Path, mode: str = "wb", **options: Any) -> Iterator[IO[Any]]:
    """A file to write to, which replaces `path` if the block succeeds.

    Parameters
    ----------
    path : Path
        In a folder that exists.
    mode, **options
        As for `open`.

    Raises
    ------
    OSError
        It cannot be written; the earlier file is unchanged.
    """
    # In the folder of the target: a rename does not cross file systems.
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, mode, **options) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        # mkstemp creates files that only the owner can read.
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_whole(path: Path, content: bytes) -> None:
    """Write a file atomically: readers see the old content or all of the new.

    Parameters
    ----------
    path : Path
        In a folder that exists.
    content : bytes

    Raises
    ------
    OSError
        It cannot be written; the earlier file is unchanged.

    Examples
    --------
    >>> folder = Path(tempfile.mkdtemp())
    >>> write_whole(folder / "a.txt", b"all of it")
    >>> [file.read_bytes() for file in folder.iterdir()]
    [b'all of it']
    """
    with whole_file(path) as file:
        file.write(content)
