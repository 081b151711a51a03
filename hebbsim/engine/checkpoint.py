"""Arrays and a JSON configuration in one safetensors file, written atomically.

A file names its kind and format version (``hebbsim.trace-engine/2``) and carries a SHA-256 of its
content, so that damage is detected. Reading a file never executes anything in it.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbsim.errors import BadInputError, reason
from hebbsim.storage import whole_path

Arrays = dict[str, NDArray[Any]]
Content = tuple[Arrays, dict[str, Any]]

#: Exceptions that content of the wrong form may raise while an object is restored from it.
MISFITS = (AttributeError, LookupError, OverflowError, RecursionError, TypeError, ValueError)

_SUFFIX = ".safetensors"
_ENTRY = "hebbsim"
#: Number of states to keep: two, so that one survives damage to the other.
_KEPT = 2


def fitting(name: str, found: NDArray[Any], shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """The array `found` in a file.

    ValueError if it has another shape or dtype, is not finite, or is integer and below 0.
    """
    if found.shape != shape or found.dtype != dtype or not np.isfinite(found).all():
        raise ValueError(f"array {name} is not {np.dtype(dtype)} of shape {shape}, or not finite")
    if found.dtype.kind == "i" and (found < 0).any():
        raise ValueError(f"a count of {name} is below 0")
    return found


def side_by_side(parts: Iterable[Mapping[str, NDArray[Any]]]) -> Arrays:
    """Arrays of several objects by the names ``NUMBER/NAME``, numbered from 0."""
    return {
        f"{number}/{name}": array
        for number, arrays in enumerate(parts)
        for name, array in arrays.items()
    }


def below(arrays: Mapping[str, NDArray[Any]], prefix: str) -> Arrays:
    """Arrays whose names begin with `prefix`, by the rest of their names."""
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }


def write_checkpoint(
    path: str | os.PathLike[str],
    kind: str,
    arrays: Mapping[str, NDArray[Any]],
    config: Mapping[str, Any],
) -> None:
    """Write `arrays` and `config`, a JSON object, atomically; BadInputError if that fails.

    `kind` names the content and its format version, as in ``"hebbsim.trace-engine/2"``.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    text = json.dumps(config, sort_keys=True)
    whole = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    # A single entry, as the order of several in the file would be arbitrary.
    about = json.dumps({"kind": kind, "sha256": _digest(kind, whole, text), "config": text})
    try:
        # Saved directly to a file, which makes no copy of all arrays in memory.
        with whole_path(Path(path)) as temporary:
            save_file(whole, temporary, metadata={_ENTRY: about})
    except (OSError, SafetensorError) as error:
        said = getattr(error, "strerror", None) or reason(error)
        raise BadInputError(f"cannot write checkpoint {path}: {said}") from None


def read_checkpoint(path: str | os.PathLike[str], kind: str) -> Content:
    """Arrays and configuration that `write_checkpoint` wrote.

    BadInputError if the file is missing, damaged, or of another kind or format version.
    """
    from safetensors import SafetensorError, safe_open

    if os.path.isdir(path):
        raise BadInputError(f"cannot read checkpoint {path}: is a folder; give a file")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}
    except OSError as error:
        raise BadInputError(f"cannot read checkpoint {path}: {reason(error)}") from None
    except MemoryError:
        raise BadInputError(f"cannot read checkpoint {path}: larger than the memory") from None
    # The last four come from numpy, for dtypes that it does not have.
    except (SafetensorError, AttributeError, KeyError, TypeError, ValueError) as error:
        why = reason(error).removeprefix("Error while deserializing header: ")
        raise BadInputError(
            f"cannot read checkpoint {path}: no checkpoint of hebbsim, or a damaged one ({why})"
        ) from None
    given, text, sha256 = _about(metadata.get(_ENTRY, ""))
    if not given:
        raise BadInputError(f"checkpoint {path} holds something else, not {kind}")
    if sha256 != _digest(given, arrays, text):
        raise BadInputError(f"checkpoint {path} is damaged: its content is not what was written")
    _check_kind(path, kind, given)
    try:
        config = json.loads(text)
    except (ValueError, RecursionError):
        config = None
    if not isinstance(config, dict):
        raise BadInputError(f"checkpoint {path} is damaged: no configuration in it")
    return arrays, config


def _about(entry: str) -> tuple[str, str, str]:
    """Kind, configuration and digest as written; empty strings if the entry is malformed."""
    try:
        about = json.loads(entry)
        found = (about["kind"], about["config"], about["sha256"])
    except (KeyError, TypeError, ValueError, RecursionError):
        return "", "", ""
    return found if all(isinstance(value, str) for value in found) else ("", "", "")


def _check_kind(path: str | os.PathLike[str], kind: str, given: str) -> None:
    """Refuse a file of another kind or format version."""
    name, _, version = kind.rpartition("/")
    own_name, _, own_version = given.rpartition("/")
    if own_name != name or not (own_version.isascii() and own_version.isdigit()):
        shown = "".join(c for c in given[:60] if c.isprintable()) or "something else"
        raise BadInputError(f"checkpoint {path} holds {shown}, not {kind}")
    at, wanted = int(own_version[:9]), int(version)
    if at > wanted:
        raise BadInputError(
            f"checkpoint {path} is of format {at}, and this hebbsim reads {name} up to format "
            f"{wanted}: upgrade hebbsim"
        )
    if at < wanted:
        raise BadInputError(
            f"checkpoint {path} is of format {at} of {name}, which this hebbsim no longer "
            f"reads (it reads {wanted}): use the hebbsim that wrote it, or learn anew"
        )


def _digest(kind: str, arrays: Mapping[str, NDArray[Any]], config: str) -> str:
    digest = hashlib.sha256(f"{kind}\0{config}".encode(errors="surrogatepass"))
    for name in sorted(arrays):
        array = np.asarray(arrays[name], order="C")
        digest.update(f"\0{name}\0{array.dtype.str}{array.shape}".encode(errors="surrogatepass"))
        digest.update(array.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


class Checkpoints:
    """The last two states of an object in a folder, each file named by its position.

    The folder is created when the first state is saved; `kind` is as in `write_checkpoint`.
    """

    def __init__(self, folder: str | os.PathLike[str], kind: str) -> None:
        self.folder = Path(folder)
        self.kind = kind

    def paths(self) -> list[Path]:
        """Files, oldest first."""
        try:
            names = os.listdir(self.folder)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise BadInputError(f"{self.folder}: cannot be read ({error.strerror})") from None
        stems = (name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX))
        return [self._path(int(stem)) for stem in sorted(filter(_is_position, stems))]

    def _path(self, position: int) -> Path:
        return self.folder / f"{position:015d}{_SUFFIX}"

    def save(
        self, position: int, arrays: Mapping[str, NDArray[Any]], config: Mapping[str, Any]
    ) -> Path:
        """Write a state, then remove all but the last two."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadInputError(f"{self.folder}: cannot be written ({error.strerror})") from None
        path = self._path(position)
        write_checkpoint(path, self.kind, arrays, config)
        for old in self.paths()[:-_KEPT]:
            with contextlib.suppress(OSError):
                old.unlink()
        return path

    def load(self) -> Content | None:
        """The last state, or None if there is none.

        BadInputError if it is unusable; the message names it, and the previous one if intact.
        """
        paths = self.paths()
        if not paths:
            return None
        try:
            return read_checkpoint(paths[-1], self.kind)
        except BadInputError as error:
            advice = "remove it to begin anew"
            if len(paths) > 1:
                with contextlib.suppress(BadInputError):
                    read_checkpoint(paths[-2], self.kind)
                    advice = f"remove it to go on from {paths[-2].name}, which is whole"
            raise BadInputError(f"{error}; {advice}") from None


def _is_position(stem: str) -> bool:
    return len(stem) == 15 and stem.isascii() and stem.isdigit()
