"""Cache of the predictions of trained BiGRUs, keyed by everything they depend on."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
import platformdirs
from numpy.typing import NDArray

from hebbsim.baselines.bigru import TorchMissingError, train_bigru
from hebbsim.baselines.config import BiGRUConfig, config_for
from hebbsim.storage import write_whole

if TYPE_CHECKING:
    from hebbsim.readers.base import Split


def _torch_version() -> str:
    """Version from the installed metadata, so that a cache hit does not import torch."""
    try:
        return version("torch")
    except PackageNotFoundError:
        raise TorchMissingError from None


@functools.cache
def _source() -> str:
    """Digest of the modules that train and tag, so that a change invalidates the cache."""
    digest = hashlib.sha256()
    for name in ("config.py", "features.py", "bigru.py", "_network.py"):
        text = (Path(__file__).parent / name).read_bytes()
        digest.update(f"{name}\0{len(text)}\0".encode() + text)
    return digest.hexdigest()


def _digest_codes(codes: Mapping[str, NDArray[np.floating]] | None) -> str | None:
    if codes is None:
        return None
    digest = hashlib.sha256()
    for word in sorted(codes):
        code = np.asarray(codes[word], dtype="<f4")
        digest.update(f"{word}\0{code.size}\0".encode() + code.tobytes())
    return digest.hexdigest()


#: Digests of the splits in memory, shared by the jobs of a run.
_DIGESTS: WeakKeyDictionary[Split, dict[str | None, str]] = WeakKeyDictionary()


def _digest(split: Split, layer: str | None = None) -> str:
    """Digest of the words, the sentence bounds and, if given, one gold layer."""
    known = _DIGESTS.setdefault(split, {})
    if layer not in known:
        digest = hashlib.sha256(np.asarray(split.offsets, dtype="<i8").tobytes())
        for column in [split.forms] if layer is None else [split.forms, split.layers[layer]]:
            digest.update("\0".join(column.tolist()).encode())
        known[layer] = digest.hexdigest()
    return known[layer]


@dataclass(frozen=True, eq=False)
class PredictionJob:
    """A BiGRU to train and the splits to tag with it; picklable, for process pools.

    Attributes
    ----------
    train, layer, dev, labels, codes, config, seed
        As in `train_bigru`.
    evaluation : dict of str to Split
        The splits to tag, by name.
    sha256 : dict of str to str
        Digests of the corpus (`Corpus.sha256`).

    Examples
    --------
    >>> from hebbsim.readers.base import make_split
    >>> split = make_split("train", [["dogs", "sleep"]] * 2, {"role": ["SUBJ", "PRED"] * 2})
    >>> PredictionJob(split, "role", {"test": split}, seed=3).labels is None  # learns from all
    True
    """

    train: Split
    layer: str
    evaluation: Mapping[str, Split]
    sha256: Mapping[str, str] = field(default_factory=dict)
    dev: Split | None = None
    labels: int | None = None
    codes: Mapping[str, NDArray[np.floating]] | None = None
    config: BiGRUConfig | None = None
    seed: int = 0

    def key(self) -> str:
        """SHA-256 of everything that the predictions depend on, as 64 hexadecimal digits.

        It includes digests of the splits besides those of the corpus files, because a corpus can
        be read in several ways (role schemes, subsets).
        """
        dev = None if self.labels is not None else self.dev
        recipe = {
            "corpus": dict(self.sha256),
            "train": _digest(self.train, self.layer),
            "dev": None if dev is None else _digest(dev, self.layer),
            "evaluation": {name: _digest(part) for name, part in self.evaluation.items()},
            "layer": self.layer,
            "labels": self.labels,
            "codes": _digest_codes(self.codes),
            "config": asdict(self.config or config_for(self.train)),
            "seed": self.seed,
            "source": _source(),
            "numpy": np.__version__,
            "torch": _torch_version(),
        }
        return hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()

    def _path(self) -> Path:
        root = os.environ.get("HEBBSIM_CACHE_DIR") or platformdirs.user_cache_dir("hebbsim")
        return Path(root, "bigru", f"{self.key()}.npz")

    def load(self) -> dict[str, NDArray[np.str_]] | None:
        """The cached predictions, or None if there are none or they are damaged."""
        try:
            with np.load(self._path(), allow_pickle=False) as cached:
                roles = cached["roles"]
                found = {name: roles[cached[f"split {name}"]] for name in self.evaluation}
        except (OSError, ValueError, KeyError, IndexError, EOFError, zipfile.BadZipFile):
            return None
        whole = all(len(found[name]) == part.n_tokens for name, part in self.evaluation.items())
        return found if whole else None

    def run(self) -> dict[str, NDArray[np.str_]]:
        """The cached predictions, or those of a BiGRU that is trained now.

        Returns
        -------
        dict of str to ndarray of str, shape=(T,)
            Roles of all tokens of each split in `evaluation`.

        Raises
        ------
        TorchMissingError
            Torch is not installed.
        """
        cached = self.load()
        if cached is not None:
            return cached
        options = {x: getattr(self, x) for x in ("dev", "labels", "codes", "config", "seed")}
        model = train_bigru(self.train, self.layer, **options)
        # All splits at once, for full batches.
        parts = list(self.evaluation.values())
        roles = model.predict([words for part in parts for words in part.sentences()])
        ends = np.cumsum([part.n_tokens for part in parts])
        predictions = {
            name: roles[end - part.n_tokens : end]
            for (name, part), end in zip(self.evaluation.items(), ends.tolist(), strict=True)
        }
        _write(self._path(), predictions)
        return predictions


def _write(path: Path, predictions: Mapping[str, NDArray[np.str_]]) -> None:
    """Write predictions atomically; if the folder cannot be written, nothing is cached."""
    roles = np.unique(np.concatenate([*predictions.values(), np.zeros(0, dtype="<U1")]))
    arrays: dict[str, Any] = {
        f"split {name}": np.searchsorted(roles, part).astype(np.uint16)
        for name, part in predictions.items()
    }
    content = io.BytesIO()
    np.savez_compressed(content, roles=roles, **arrays)
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content.getvalue())
