"""Files that are written whole or not at all."""

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
    """A file to write to, which takes its place when the block ends well.

    Parameters
    ----------
    path : Path
        In a folder that exists.
    mode, **options
        As of `open`.

    Raises
    ------
    OSError
        It cannot be written; what was there before is there still.
    """
    # In the folder of the target: a rename does not cross file systems.
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, mode, **options) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes files that the owner alone may read.
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a reader finds all of it, or what was there before.

    Parameters
    ----------
    path : Path
        In a folder that exists.
    content : bytes

    Raises
    ------
    OSError
        It cannot be written; nothing has changed then.

    Examples
    --------
    >>> folder = Path(tempfile.mkdtemp())
    >>> write_whole(folder / "a.txt", b"all of it")
    >>> [file.read_bytes() for file in folder.iterdir()]
    [b'all of it']
    """
    with whole_file(path) as file:
        file.write(content)
