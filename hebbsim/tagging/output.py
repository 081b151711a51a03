"""Output files that are written incrementally, but appear completely or not at all."""

import contextlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from hebbsim import storage
from hebbsim.errors import BadInputError, HebbsimError


def check_file(option: str, path: Path, *, overwrite: bool, inputs: Iterable[Path] = ()) -> None:
    """Raise BadInputError, before any work is done, for a file that must not or cannot be written.

    `inputs` are files that the command reads, which it must not replace. The message names
    `option`.
    """
    if str(path) == "-":
        raise BadInputError(f"{option} -: name a file")
    if path.is_dir():
        raise BadInputError(f"{option} {path}: is a folder; name a file")
    if path.exists() and not path.is_file():
        raise BadInputError(f"{option} {path}: is not an ordinary file; name one")
    if os.path.lexists(path) and not overwrite:
        raise BadInputError(
            f"{option} {path}: already exists; name another file, or give --overwrite"
        )
    if any(other.exists() and path.exists() and path.samefile(other) for other in inputs):
        raise BadInputError(f"{option} {path}: is read by this command; name another file")
    try:
        tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        raise BadInputError(
            f"{option} {path}: {path.parent} cannot be written ({error.strerror})"
        ) from None


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[IO[str]]:
    """A file to write to, which replaces `path` if the block succeeds.

    Raises HebbsimError if it cannot be written; an earlier file is unchanged.
    """
    try:
        with storage.whole_file(path, "w", encoding="utf-8", newline="\n") as file:
            yield file
    except OSError as error:
        raise HebbsimError(f"{path}: could not be written ({error.strerror})") from error
