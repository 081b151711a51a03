"""What learners without labels share as scikit-learn estimators."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from hebbsim.errors import BadInputError

__all__ = ["Sentences", "ZeroLabelEstimator", "as_lists", "not_fitted", "refuse_labels"]

Sentences = Iterable[Sequence[str]]

Self = TypeVar("Self", bound="ZeroLabelEstimator")


class ZeroLabelEstimator:
    """An estimator of sentences, as a step of a `sklearn.pipeline.Pipeline` or alone.

    A subclass has ``fit(sentences, y=None, **options)``, ``transform`` and ``predict``. `y` is
    there because scikit-learn passes it: anything but None is refused.

    It follows scikit-learn's protocol without its base class: importing `sklearn.base` takes
    more than a second and 140 MB of memory.

    Examples
    --------
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

    # Of the subclass.
    fit: Any

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The constructor's parameters by name; none of them has parameters of its own."""
        names = list(inspect.signature(type(self).__init__).parameters)[1:]
        return {name: getattr(self, name) for name in names}

    def set_params(self: Self, **params: Any) -> Self:
        """Change parameters by name.

        Raises
        ------
        ValueError
            There is no such parameter; none has been changed then.
        """
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

    def fit_predict(
        self, sentences: Sentences, y: None = None, **options: Any
    ) -> NDArray[np.int32]:
        """Learn afresh, and the clusters of the same sentences.

        Parameters
        ----------
        sentences : iterable of sequences of str
        y : None
        **options
            As of `fit`.

        Returns
        -------
        ndarray of int32
            As of `predict`.

        Raises
        ------
        BadInputError
            As of `fit`.
        """
        sentences = as_lists(sentences)
        found: NDArray[np.int32] = self.fit(sentences, y, **options).predict(sentences)
        return found

    def fit_transform(
        self, sentences: Sentences, y: None = None, **options: Any
    ) -> NDArray[np.float32]:
        """Learn afresh, and the vectors of the same sentences; see `fit_predict`."""
        sentences = as_lists(sentences)
        found: NDArray[np.float32] = self.fit(sentences, y, **options).transform(sentences)
        return found


def as_lists(sentences: Sentences) -> list[Sequence[str]]:
    """Sentences that can be gone through again."""
    return sentences if isinstance(sentences, list) else list(sentences)


def not_fitted(message: str) -> Exception:
    """scikit-learn's error for an estimator that has not learned; loaded when it is needed."""
    from sklearn.exceptions import NotFittedError

    error: Exception = NotFittedError(message)
    return error


def refuse_labels(y: object) -> None:
    """Refuse whatever scikit-learn passes as labels.

    Raises
    ------
    BadInputError
        `y` is not None.
    """
    if y is not None:
        raise BadInputError(
            f"y is a {type(y).__name__}: this learner takes no labels; fit it on sentences alone"
        )
