"""The scikit-learn interface of learners without labels."""

import inspect
import os
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, TypeVar

from hebbsim.engine.checkpoint import read_checkpoint, write_checkpoint
from hebbsim.errors import BadInputError

Sentences = Iterable[Sequence[str]]

Self = TypeVar("Self", bound="ZeroLabelEstimator")


class ZeroLabelEstimator:
    """An estimator of sentences that also works as a step of a `sklearn.pipeline.Pipeline`.

    A subclass has ``fit(sentences, y=None, **options)``, ``transform`` and ``predict``; `y`, which
    scikit-learn passes, must be None. It also has ``state()``, all learned state as arrays by name
    and a JSON-compatible document, and ``from_state(arrays, document, path)``. The class follows
    scikit-learn's protocol without its base class, because importing `sklearn.base` takes more than
    a second and 140 MB of memory.

    >>> from sklearn.cluster import KMeans
    >>> from sklearn.pipeline import make_pipeline
    >>> from hebbsim.models import RoleNetwork
    >>> sentences = [["the", "dog", "saw", "a", "cat"], ["a", "cat", "saw", "the", "dog"]] * 20
    >>> learner = RoleNetwork(n_clusters=5)
    >>> learner.fit_predict(sentences).shape
    (200,)
    >>> make_pipeline(learner, KMeans(3, n_init=1, random_state=0)).fit_predict(sentences).shape
    (200,)
    """

    #: Kind and format version of a file.
    KIND: ClassVar[str]
    # Of the subclass.
    fit: Any
    state: Any
    from_state: Any

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Constructor parameters by name; none of them is an estimator."""
        names = list(inspect.signature(type(self).__init__).parameters)[1:]
        return {name: getattr(self, name) for name in names}

    def set_params(self: Self, **params: Any) -> Self:
        """Change parameters by name; ValueError for an unknown one, before any is changed."""
        known = self.get_params()
        for name in params:
            if name not in known:
                raise ValueError(
                    f"{type(self).__name__} has no parameter {name}: give one of {', '.join(known)}"
                )
        vars(self).update(params)
        return self

    def __repr__(self) -> str:
        defaults = inspect.signature(type(self).__init__).parameters
        given = {k: v for k, v in self.get_params().items() if v is not defaults[k].default}
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in given.items())})"

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import InputTags, Tags, TargetTags, TransformerTags

        return Tags(
            estimator_type="transformer",
            target_tags=TargetTags(required=False),
            transformer_tags=TransformerTags(),
            input_tags=InputTags(two_d_array=False),
        )

    def fit_predict(self, sentences: Sentences, y: None = None, **options: Any) -> Any:
        """`fit`, with its options, then `predict` on the same sentences."""
        sentences = as_lists(sentences)
        return self.fit(sentences, y, **options).predict(sentences)

    def fit_transform(self, sentences: Sentences, y: None = None, **options: Any) -> Any:
        """`fit`, with its options, then `transform` of the same sentences."""
        sentences = as_lists(sentences)
        return self.fit(sentences, y, **options).transform(sentences)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write all learned state to a safetensors file, atomically.

        Raises
        ------
        BadInputError
            The file cannot be written.
        """
        write_checkpoint(path, self.KIND, *self.state())

    @classmethod
    def load(cls: type[Self], path: str | os.PathLike[str]) -> Self:
        """Load the learner that `save` wrote; learning continues as if uninterrupted.

        Raises
        ------
        BadInputError
            The file is missing, damaged or holds something else.
        """
        return cls.from_state(*read_checkpoint(path, cls.KIND), path)


def as_lists(sentences: Sentences) -> list[Sequence[str]]:
    """Sentences as a list, which can be iterated more than once."""
    return sentences if isinstance(sentences, list) else list(sentences)


def not_fitted(message: str) -> Exception:
    """scikit-learn's `NotFittedError`, imported when it is needed."""
    from sklearn.exceptions import NotFittedError

    return NotFittedError(message)


def refuse_labels(y: object) -> None:
    """Raise BadInputError if `y`, the labels that scikit-learn passes, is not None."""
    if y is not None:
        raise BadInputError(
            f"y is a {type(y).__name__}: this learner takes no labels; fit it on sentences alone"
        )
