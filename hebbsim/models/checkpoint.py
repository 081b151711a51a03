"""Learners in files: arrays in safetensors, everything else in JSON, and nothing executed.

A learner is a tree of objects of this package, arrays, random states and plain values.
`state_of` takes it apart into arrays and a JSON document, `from_state` puts it together again:
bit by bit, shared parts shared, random states where they were. Only classes of this package
are built, from the names that the document gives; what does not fit together is refused.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import pkgutil
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from hebbsim.engine.checkpoint import MISFITS, Checkpoints, read_checkpoint, write_checkpoint
from hebbsim.errors import BadInputError

__all__ = ["Saved", "Stages", "check_unchanged", "from_state", "learned", "parameters", "state_of"]

KIND = "hebbsim.learner/2"

Arrays = dict[str, NDArray[Any]]
Learner = TypeVar("Learner", bound="Saved")

#: Of the arrays of a learner.
_DTYPES = ("<f4", "<f8", "<i4", "<i8", "|b1")


class Saved:
    """A learner that can be written to a file and read back, at any moment of its life.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from hebbsim.models import HebbianRoleInducer
    >>> sentences = [["the", "dog", "saw", "a", "cat"], ["a", "cat", "saw", "the", "dog"]] * 20
    >>> learner = HebbianRoleInducer(n_clusters=5, n_categories=4).fit(sentences)
    >>> path = Path(tempfile.mkdtemp()) / "learner.safetensors"
    >>> learner.save(path)
    >>> again = HebbianRoleInducer.load(path).partial_fit(sentences)
    >>> bool((again.predict(sentences) == learner.partial_fit(sentences).predict(sentences)).all())
    True
    """

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write all state to a safetensors file, whole or not at all.

        Raises
        ------
        BadInputError
            The file cannot be written, or a parameter was changed after the learner had
            learned: what it has learned and what it says of itself would not fit.
        """
        check_unchanged(self)
        write_checkpoint(path, KIND, *state_of(self))

    @classmethod
    def load(cls: type[Learner], path: str | os.PathLike[str]) -> Learner:
        """The learner that :meth:`save` wrote; it goes on as if it had never stopped.

        Raises
        ------
        BadInputError
            No such file, a damaged one, or one of another learner.
        """
        learner = from_state(*read_checkpoint(path, KIND), source=path)
        if not isinstance(learner, cls):
            raise BadInputError(
                f"checkpoint {path} holds a {type(learner).__name__}, not a {cls.__name__}"
            )
        return learner


class Stages:
    """The last two states of a learner in the midst of `fit`, in a folder.

    Parameters
    ----------
    folder : path
    every : float
        Seconds that pass, at least, from one state written to the next; what is lost when a
        run is killed costs about as long, or the stage under way.
    """

    def __init__(self, folder: str | os.PathLike[str], *, every: float = 20.0) -> None:
        self._kept = Checkpoints(folder, KIND)
        self._every = every
        self._last = time.monotonic()

    def restore(self, learner: Any, vocabulary: Any, parts: Sequence[Any]) -> int:
        """Put the last state into a learner; stages done, 0 where there is none.

        Parameters
        ----------
        learner : HebbianRoleInducer
        vocabulary : Vocabulary
        parts : sequence of Encoded
            What it learns from: sentences, and text where there is some.

        Raises
        ------
        BadInputError
            The state is damaged, or of a learner of other parameters or other sentences.
        """
        self._sentences = _digest(vocabulary, parts)
        content = self._kept.load()
        if content is None:
            return 0
        arrays, document = content
        folder = self._kept.folder
        found = from_state(arrays, document, source=folder)
        same = type(found) is type(learner) and parameters(found) == parameters(learner)
        if not same or document.get("sentences") != self._sentences:
            raise BadInputError(
                f"{folder}: states of another learner or of other sentences; name another folder"
            )
        vars(learner).update(vars(found))
        # What was just read is equal, and shared with other learners.
        learner.vocabulary_, learner.types_.counts = vocabulary, vocabulary.counts
        return int(self._kept.paths()[-1].stem)

    def keep(self, learner: Any, done: int) -> None:
        """Write the state after so many stages, unless the last was written just now."""
        if time.monotonic() - self._last >= self._every:
            arrays, document = state_of(learner)
            self._kept.save(done, arrays, {**document, "sentences": self._sentences})
            self._last = time.monotonic()


def _digest(vocabulary: Any, parts: Sequence[Any]) -> str:
    """SHA-256 of all that a learner learns from: words, and their order in every part."""
    digest = hashlib.sha256(json.dumps(list(vocabulary.index)).encode())
    for part in parts:
        digest.update(f"{part.ids.shape}{part.offsets.shape}{json.dumps(part.unknown)}".encode())
        digest.update(part.ids)
        digest.update(part.offsets)
    return digest.hexdigest()


# Parameters ------------------------------------------------------------------------------

#: Those that change nothing that a learner learns.
_FREE = ("n_jobs",)
#: What scikit-learn puts into an estimator: callbacks of a pipeline, forms of output.
_OF_SKLEARN = ("_sk", "_parent_callback", "_metadata_request")


def learned(learner: Any) -> list[str]:
    """Names of all attributes of a learner that are no parameters."""
    own = vars(learner).keys() - learner.get_params(deep=False).keys()
    return [name for name in own if not name.startswith(_OF_SKLEARN)]


def parameters(learner: Any) -> dict[str, str]:
    """Parameters as text by name, equal where a learner would learn the same."""
    values = learner.get_params(deep=False)
    values["timescales"] = [*map(str, np.ravel(values["timescales"]))]
    return {
        name: repr(value.item() if isinstance(value, np.generic) else value)
        for name, value in values.items()
        if name not in _FREE
    }


def check_unchanged(learner: Any) -> None:
    """Refuse a learner whose parameters are no longer those that it learned with.

    Raises
    ------
    BadInputError
        It names the first that was changed.
    """
    learned_with = vars(learner).get("_learned_with")
    if learned_with is None:
        return
    for name, value in parameters(learner).items():
        if learned_with.get(name) != value:
            raise BadInputError(
                f"{name} was changed after this {type(learner).__name__} had learned: fit it "
                f"anew, or set {name} back to {learned_with.get(name)}"
            )


# Apart -----------------------------------------------------------------------------------


def state_of(learner: Any) -> tuple[Arrays, dict[str, Any]]:
    """A learner as arrays by name, and a document that JSON holds.

    Raises
    ------
    TypeError
        It holds something that is neither of this package nor plain.
    """
    writer = _Writer()
    return writer.arrays, {"learner": writer.value(learner)} | {"n_objects": len(writer.objects)}


class _Writer:
    def __init__(self) -> None:
        self.arrays: Arrays = {}
        self.objects: dict[int, int] = {}
        self._names: dict[int, str] = {}
        self._known = _classes()

    def value(self, value: Any) -> Any:
        if value is None or (isinstance(value, (bool, int, float, str)) and _is_plain(value)):
            return value
        if isinstance(value, np.str_):
            return str(value)
        if isinstance(value, np.generic):
            if value.dtype.str not in _DTYPES:
                if isinstance(value.item(), (bool, int, float)):
                    return value.item()
                raise TypeError(f"a checkpoint cannot hold a {value.dtype}")
            name = f"{len(self.arrays)}"
            self.arrays[name] = np.asarray(value)
            return {"scalar": name}
        if isinstance(value, np.ndarray):
            return {"array": self._array(value)}
        if isinstance(value, (list, tuple)):
            return {type(value).__name__: [self.value(part) for part in value]}
        if isinstance(value, dict):
            return {"dict": [[self.value(k), self.value(v)] for k, v in value.items()]}
        if isinstance(value, np.random.Generator):
            return {"random": _random_state(value)}
        name = type(value).__name__
        if self._known.get(name) is not type(value):
            raise TypeError(f"a checkpoint cannot hold a {type(value).__qualname__}")
        if id(value) in self.objects:
            return {"same": self.objects[id(value)]}
        number = self.objects[id(value)] = len(self.objects)
        state = {
            key: self.value(part)
            for key, part in sorted(vars(value).items())
            if not key.startswith(_OF_SKLEARN)
        }
        return {"object": name, "number": number, "state": state}

    def _array(self, array: NDArray[Any]) -> str:
        # Arrays that two objects share stay shared: one may add to it in place.
        if id(array) not in self._names:
            if array.dtype.str not in _DTYPES:
                raise TypeError(f"a checkpoint cannot hold an array of {array.dtype}")
            name = self._names[id(array)] = f"{len(self.arrays)}"
            self.arrays[name] = array
        return self._names[id(array)]


def _is_plain(value: Any) -> bool:
    return type(value) in (bool, int, float, str)  # no subclass, such as numpy's float64


def _random_state(rng: np.random.Generator) -> dict[str, Any]:
    bits = rng.bit_generator
    seeds: Any = bits.seed_seq
    state: dict[str, Any] = dict(bits.state)
    if state["bit_generator"] != "PCG64":
        raise TypeError(f"a checkpoint cannot hold a generator of {state['bit_generator']}")
    entropy = seeds.entropy
    return {
        "state": [state["state"]["state"], state["state"]["inc"]],
        "spare": [state["has_uint32"], state["uinteger"]],
        "entropy": [int(word) for word in np.ravel(entropy)],
        "one_number": np.ndim(entropy) == 0,
        "spawn_key": [int(word) for word in seeds.spawn_key],
        "spawned": seeds.n_children_spawned,
    }


# Together --------------------------------------------------------------------------------


def from_state(
    arrays: Mapping[str, NDArray[Any]],
    document: Mapping[str, Any],
    *,
    source: object = "of a learner",
) -> Any:
    """The learner that `state_of` took apart.

    Parameters
    ----------
    arrays, document
        What `state_of` gave.
    source : object
        Named where they cannot be used.

    Raises
    ------
    BadInputError
        Arrays are missing or do not fit each other, or the document is no learner.
    """
    try:
        for name, array in arrays.items():
            if array.dtype.str not in _DTYPES or not np.isfinite(array).all():
                raise ValueError(f"array {name} is {array.dtype}, or holds NaN or inf")
        reader = _Reader(arrays)
        learner = reader.value(document["learner"])
        if not isinstance(learner, Saved):
            raise ValueError("no learner in it")
        for thing in reversed(reader.objects.values()):  # parts before what they are parts of
            check = _CHECKS.get(type(thing).__name__)
            if check is not None:
                check(thing)
    except MISFITS as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise BadInputError(f"checkpoint {source} is damaged: {reason}") from None
    return learner


class _Reader:
    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        self.objects: dict[int, Any] = {}
        self._arrays = arrays
        self._known = _classes()

    def value(self, value: Any) -> Any:
        if not isinstance(value, dict):
            if isinstance(value, list):
                raise ValueError("a list that says not what it is")
            return value
        if "object" in value:
            return self._object(value)
        ((kind, content),) = value.items()
        if kind == "scalar":
            if self._arrays[content].ndim:
                raise ValueError(f"array {content} is no single number")
            return self._arrays[content][()]
        if kind == "array":
            return self._arrays[content]
        if kind == "list":
            return [self.value(part) for part in content]
        if kind == "tuple":
            return tuple(self.value(part) for part in content)
        if kind == "dict":
            return {self.value(k): self.value(v) for k, v in content}
        if kind == "random":
            return _random(content)
        if kind == "same":
            return self.objects[content]
        raise ValueError(f"an unknown kind of value, {kind!r}")

    def _object(self, value: dict[str, Any]) -> Any:
        cls: Any = self._known[value["object"]]
        if value["number"] in self.objects:  # or the first of the two would go unchecked
            raise ValueError(f"two objects of number {value['number']}")
        thing = self.objects[value["number"]] = cls.__new__(cls)
        for name, part in value["state"].items():
            if not name.isidentifier() or (hasattr(cls, name) and callable(getattr(cls, name))):
                raise ValueError(f"{value['object']} has no attribute {name!r}")
            vars(thing)[name] = self.value(part)
        return thing


def _random(content: dict[str, Any]) -> np.random.Generator:
    entropy = [int(word) for word in content["entropy"]]
    seeds = np.random.SeedSequence(
        entropy[0] if content["one_number"] else entropy,
        spawn_key=tuple(content["spawn_key"]),
        n_children_spawned=content["spawned"],
    )
    rng = np.random.Generator(np.random.PCG64(seeds))
    state, inc = content["state"]
    has_spare, spare = content["spare"]
    rng.bit_generator.state = {
        "bit_generator": "PCG64",
        "state": {"state": state, "inc": inc},
        "has_uint32": has_spare,
        "uinteger": spare,
    }
    return rng


def _classes() -> dict[str, type]:
    """The classes of this package by name: the only ones that a checkpoint may hold."""
    import hebbsim.models

    found: dict[str, type] = {}
    for info in pkgutil.iter_modules(hebbsim.models.__path__):
        module = importlib.import_module(f"hebbsim.models.{info.name}")
        own = (v for v in vars(module).values() if isinstance(v, type))
        found |= {cls.__name__: cls for cls in own if cls.__module__ == module.__name__}
    return found


# What kernels take on trust: they look at no bounds --------------------------------------


def _expect(
    thing: Any, dtype: Any = np.float32, *, staged: bool = False, **shapes: tuple[int, ...]
) -> None:
    """Attributes have this type and shape; -1 stands for any length.

    With `staged`, an attribute may be missing: the stage that makes it is still to come.
    """
    for name, shape in shapes.items():
        if staged and name not in vars(thing):
            continue
        array = vars(thing).get(name)
        good = isinstance(array, np.ndarray) and array.dtype == dtype and array.ndim == len(shape)
        if not good or any(n not in (-1, m) for n, m in zip(shape, array.shape, strict=True)):
            raise ValueError(f"{name} of {type(thing).__name__} is not {dtype.__name__} {shape}")


def _expect_numbers(thing: Any, kind: type, *names: str) -> None:
    """Attributes are plain numbers, finite and not negative."""
    for name in names:
        value: Any = vars(thing).get(name)
        good = type(value) is kind
        if not good or not 0 <= value < float("inf"):
            raise ValueError(f"{name} of {type(thing).__name__} is not a {kind.__name__} from 0 on")


def _need(thing: Any, **classes: str) -> None:
    """Attributes are objects of these classes, whose own checks have passed."""
    for name, wanted in classes.items():
        if type(vars(thing).get(name)).__name__ != wanted:
            raise ValueError(f"{name} of {type(thing).__name__} is no {wanted}")


def _check_components(it: Any) -> None:
    _expect(it, components=(-1, -1))
    _expect(it, mean=(it.components.shape[1],))
    _expect(it, np.int64, seen=(1,))
    _expect_numbers(it, float, "amnesia")


def _check_prototypes(it: Any) -> None:
    _expect(it, centres=(-1, -1))
    n = len(it.centres)
    _expect(it, squares=(n,), share=(n,), spread=(1,))
    _expect(it, np.float64, wins=(n,))
    _expect_numbers(it, float, "conscience", "memory")


def _check_numbered(index: Any) -> None:
    """Words or features numbered from 0 on."""
    if not isinstance(index, dict) or list(index.values()) != list(range(len(index))):
        raise ValueError("words are not numbered from 0 on")
    if not all(type(word) is str for word in index):
        raise ValueError("words are not text")


def _check_vocabulary(it: Any) -> None:
    _check_numbered(it.index)
    _expect(it, np.int64, counts=(len(it.index),))
    _expect_numbers(it, int, "max_types")


def _check_endings(it: Any) -> None:
    _need(it, shapes="ShapeFeatures")
    _expect(it, codes=(max(1, len(it.shapes.index)), -1))


#: Parameters that type codes have from their learner, which checks them.
_OF_THE_LEARNER = (
    "n_context_words",
    "n_components",
    "sharpness",
    "rounds",
    "rare",
    "rare_from",
    "rare_by",
    "min_count",
    "ending_weight",
)


def _check_types(it: Any) -> None:
    n_taus = len(it.timescales)
    _need(it, rng="Generator")
    _expect(it, keep=(n_taus,), alpha=(n_taus,))
    if "codes" not in vars(it):
        return
    _need(it, categories="Prototypes", reducer="Components", shapes="ShapeFeatures")
    _expect(it, codes=(-1, -1), points=(-1, -1))
    n_types, n_codes = it.codes.shape
    n_points = it.points.shape[1]
    n_inputs = n_points
    if it.ending_weight:
        _need(it, endings="EndingCodes")
        n_inputs += it.endings.codes.shape[1]
    if it.categories.centres.shape != (n_codes, n_inputs):
        raise ValueError("categories do not fit codes and signatures")
    # Contexts are over the codes of before, which may be of another width.
    width = 2 * n_taus * (getattr(it, "context_codes", it.codes).shape[1] + 1)
    _expect(it, np.int64, counts=(n_types,))
    _expect(it, np.float64, weight=(-1,))  # only `fit` uses it
    _expect(it, unknown_code=(n_codes,), points=(n_types, n_points))
    n_guessed = n_codes if it.rare_by == "code" else n_points
    staged = "bias" not in vars(it)  # which the last stage makes
    _expect(it, staged=staged, contexts=(n_types, width), context_codes=(n_types + 1, -1))
    _expect(it, staged=staged, bias=(n_guessed,), power=(width,))
    _expect(it, staged=staged, context_weights=(width, n_guessed))
    _expect(it, staged=staged, shape_weights=(max(1, len(it.shapes.index)), n_guessed))
    if "contexts" in vars(it) and it.reducer.components.shape[1] != width:
        raise ValueError("signatures are not as wide as their directions")


def _check_inducer(it: Any) -> None:
    it._check()
    if not {"types_", "_own", "prototypes_"} & set(vars(it)):
        return
    _need(it, types_="TypeCodes", vocabulary_="Vocabulary")
    types = it.types_
    if any(getattr(types, name) != getattr(it, name) for name in _OF_THE_LEARNER):
        raise ValueError("its codes are not of its parameters")
    if "codes" in vars(types) and len(it.vocabulary_.index) != len(types.codes):
        raise ValueError("not as many codes as words")
    if not {"_own", "prototypes_"} & set(vars(it)):
        return
    _need(it, _own="Components", _rng="Generator")
    _expect(types, bias=(-1,))
    if it._learned_with != parameters(it):
        raise ValueError("it learned with other parameters")
    n_taus, n_codes = len(it._keep), types.codes.shape[1]
    width, n_out = n_taus * (n_codes + 1), len(it._own.components)
    _expect(it, _keep=(n_taus,), _alpha=(n_taus,), _weights=(2, width, n_out))
    _expect(it, _bias=(2, n_out), _power=(2, width), _lengths=(2, 2))
    if it._own.components.shape[1] != n_codes:
        raise ValueError("codes are not as wide as their directions")
    for side in it._principal:
        if type(side).__name__ != "Components" or side.components.shape[1] != width:
            raise ValueError("contexts are not as wide as their directions")
    if "prototypes_" not in vars(it):
        return
    _need(it, prototypes_="Prototypes")
    _expect_numbers(it, int, "n_tokens_seen_")
    # A word that it knows, if it knows any, and one that it does not.
    try:
        with np.errstate(all="ignore"):
            known = next(iter(it.vocabulary_.index), "a")
            vectors = it.transform([[known, "\0"], ["\0", known, known], [known]])
            it.prototypes_.winners(vectors[:0])
    except Exception as error:  # whatever the compiler and numpy say of what does not fit
        raise ValueError(f"{type(error).__name__} when it is used") from None
    if vectors.shape[1] != it.prototypes_.centres.shape[1] or vectors.dtype != np.float32:
        raise ValueError("prototypes are not as wide as vectors")
    if len(vectors) != 6:
        raise ValueError("not a vector for every token")
    if not np.isfinite(vectors).all():
        raise ValueError("its vectors are not finite")
    if len(it.prototypes_.centres) != it.n_clusters:
        raise ValueError("not as many prototypes as clusters")


def _check_population(it: Any) -> None:
    it._check()
    if "members_" not in vars(it):
        return
    if it._learned_with != parameters(it) or not isinstance(it.members_, list):
        raise ValueError("it learned with other parameters")
    fitted = [
        type(member).__name__ == "HebbianRoleInducer" and "prototypes_" in vars(member)
        for member in it.members_
    ]
    if len(fitted) != it.n_members or not all(fitted):
        raise ValueError("members are not learners that have learned")


_CHECKS: dict[str, Callable[[Any], None]] = {
    "Components": _check_components,
    "Prototypes": _check_prototypes,
    "Vocabulary": _check_vocabulary,
    "ShapeFeatures": lambda it: _check_numbered(it.index),
    "EndingCodes": _check_endings,
    "TypeCodes": _check_types,
    "HebbianRoleInducer": _check_inducer,
    "RolePopulation": _check_population,
}
