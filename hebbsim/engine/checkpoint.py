"""Arrays and their description in one safetensors file, written whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbsim.errors import BadInputError

__all__ = ["read_checkpoint", "write_checkpoint"]


def write_checkpoint(
    path: str | os.PathLike[str],
    kind: str,
    arrays: Mapping[str, NDArray[Any]],
    config: Mapping[str, Any],
) -> None:
    """Write `arrays` and `config` (anything that JSON holds) atomically.

    Parameters
    ----------
    path : path
    kind : str
        What the file holds, with a version, such as ``"hebbsim.trace-engine/1"``.
    arrays : mapping of str to ndarray
    config : mapping

    Raises
    ------
    BadInputError
        The file cannot be written.
    """
    from safetensors.numpy import save

    target = Path(path)
    content = save(
        {name: np.ascontiguousarray(array) for name, array in arrays.items()},
        metadata={"kind": kind, "config": json.dumps(config, sort_keys=True)},
    )
    try:
        # In the folder of the target: a rename does not cross file systems.
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    except OSError as error:
        raise BadInputError(f"cannot write checkpoint {target}: {error.strerror}") from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except OSError as error:
        Path(temporary).unlink(missing_ok=True)
        raise BadInputError(f"cannot write checkpoint {target}: {error.strerror}") from None
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read_checkpoint(
    path: str | os.PathLike[str], kind: str
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Arrays and configuration that :func:`write_checkpoint` wrote.

    Raises
    ------
    BadInputError
        No such file, a damaged one, or one of another kind.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}
    except (OSError, SafetensorError) as error:
        raise BadInputError(f"cannot read checkpoint {path}: {error}") from None
    if metadata.get("kind") != kind:
        raise BadInputError(
            f"checkpoint {path} holds {metadata.get('kind', 'something else')}, not {kind}"
        )
    try:
        return arrays, json.loads(metadata["config"])
    except (KeyError, ValueError):
        raise BadInputError(f"checkpoint {path} is damaged: no configuration in it") from None
