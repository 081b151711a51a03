"""What learners without labels share as scikit-learn estimators."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from hebbsim.errors import BadInputError

__all__ = ["Sentences", "ZeroLabelEstimator", "as_lists", "refuse_labels"]

Sentences = Iterable[Sequence[str]]


class ZeroLabelEstimator(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """An estimator of sentences, as a step of a `sklearn.pipeline.Pipeline` or alone.

    A subclass has ``fit(sentences, y=None, **options)``, ``transform`` and ``predict``. `y` is
    there because scikit-learn passes it: anything but None is refused.

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
