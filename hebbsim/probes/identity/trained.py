"""Decoders that are trained on states with known tokens."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from hebbsim.errors import HebbsimError
from hebbsim.probes.identity.decoders import Decoder
from hebbsim.probes.identity.states import Floats, Ints, States


class _Trained(Decoder):
    """Base class of trained decoders, whose features are the standardized states."""

    trained = True

    def fit(self, states: States) -> Decoder:
        flat = states.values.reshape(len(states), -1)
        self.centre_ = flat.mean(axis=0)
        spread = flat.std(axis=0)
        self.spread_ = np.where(spread > 0, spread, 1)
        self._fit(self._features(states.values), states.tokens)
        return self

    def _features(self, states: Floats) -> Floats:
        return (states.reshape(len(states), -1) - self.centre_) / self.spread_

    def _fit(self, features: Floats, tokens: Ints) -> None:
        raise NotImplementedError


class Ridge(_Trained):
    """Nearest code to the prediction of a ridge regression for each lag."""

    name = "ridge"
    strength = 1e-3

    def _fit(self, features: Floats, tokens: Ints) -> None:
        from sklearn.linear_model import Ridge as Regression

        targets = self.channel.codes[tokens].reshape(len(tokens), -1)
        # One regression for all lags, which share the features and so the factorization.
        self.model_ = Regression(alpha=self.strength * len(features)).fit(features, targets)
        shape = (len(tokens), tokens.shape[1], self.channel.codes.shape[1])
        residual = (targets - self.model_.predict(features)).reshape(shape)
        self.variance_ = np.maximum((residual**2).mean(axis=(0, 2)), np.finfo(np.float64).tiny)

    def decode(self, states: Floats, n_lags: int) -> Iterator[Floats]:
        codes, channel = self.channel.codes, self.channel
        found = self.model_.predict(self._features(states)).reshape(len(states), -1, codes.shape[1])
        for lag in range(n_lags):
            variance = self.variance_[lag]
            # Undo the shrinkage towards the mean code.
            gain = max(1 - variance / channel.power, 1e-6) if channel.power > 0 else 1.0
            unbiased = channel.mean + (found[:, lag] - channel.mean) / gain
            yield (unbiased @ codes.T - (codes**2).sum(axis=1) / 2) * gain / variance


class Discriminant(_Trained):
    """Linear discriminant analysis: one Gaussian per type, with a shared covariance.

    As accurate as softmax regression in a hundredth of the time (Hastie et al. 2009, "The
    Elements of Statistical Learning", section 4.3).
    """

    name = "discriminant"
    #: Added to the variance of every standardized feature.
    ridge = 1e-4
    #: Pseudo-observations of every type at the overall mean.
    shrinkage = 1.0

    def _fit(self, features: Floats, tokens: Ints) -> None:
        gram = features.T @ features
        self.weights_ = [self._of_lag(features, gram, of_lag) for of_lag in tokens.T]

    def _of_lag(self, x: Floats, gram: Floats, tokens: Ints) -> tuple[Floats, Floats]:
        n_types = len(self.channel.codes)
        counts = np.bincount(tokens, minlength=n_types)
        order = np.argsort(tokens, kind="stable")
        present = np.flatnonzero(counts)
        first = np.cumsum(counts[present]) - counts[present]
        sums = np.zeros((n_types, x.shape[1]))
        sums[present] = np.add.reduceat(x[order], first, axis=0)
        means = sums / np.maximum(counts, 1)[:, None]
        within = (gram - sums.T @ means) / len(x)
        within[np.diag_indices_from(within)] += self.ridge
        means *= (counts / (counts + self.shrinkage))[:, None]
        weights = cho_solve(cho_factor(within, lower=True), means.T)
        return weights, (means * weights.T).sum(axis=1) / 2

    def decode(self, states: Floats, n_lags: int) -> Iterator[Floats]:
        features = self._features(states)
        for weights, norms in self.weights_[:n_lags]:
            yield features @ weights - norms


class Softmax(_Trained):
    """Multinomial logistic regression for each lag."""

    name = "softmax"

    def _fit(self, features: Floats, tokens: Ints) -> None:
        self.models_ = [self._model(features, of_lag) for of_lag in tokens.T]

    def _model(self, features: Floats, tokens: Ints) -> Any:
        from sklearn.linear_model import LogisticRegression

        if len(np.unique(tokens)) < 2:
            return None  # a single class
        return LogisticRegression(max_iter=200).fit(features, tokens)

    def decode(self, states: Floats, n_lags: int) -> Iterator[Floats]:
        features = self._features(states)
        for model in self.models_[:n_lags]:
            scores = np.zeros((len(states), len(self.channel.codes)))
            if model is not None:
                found = model.predict_log_proba(features)
                scores[:] = found.min(axis=1, keepdims=True)  # types never seen in training
                scores[:, model.classes_] = found
                scores -= self.channel.log_prior
            yield scores


class Perceptron(_Trained):
    """Network with one hidden layer and one softmax per lag; needs torch."""

    name = "mlp"
    hidden = 512
    epochs = 60
    batch = 256

    def _fit(self, features: Floats, tokens: Ints) -> None:
        try:
            from hebbsim.baselines._perceptron import train_perceptron
        except ModuleNotFoundError:
            raise HebbsimError(
                "decoder mlp needs torch, which is not installed; leave it out of --decoders"
            ) from None
        self.n_lags_ = tokens.shape[1]
        self.model_ = train_perceptron(
            features,
            tokens,
            len(self.channel.codes),
            hidden=self.hidden,
            epochs=self.epochs,
            batch=self.batch,
            seed=self.random_state,
        )

    def decode(self, states: Floats, n_lags: int) -> Iterator[Floats]:
        from hebbsim.baselines._perceptron import log_softmax

        scores = log_softmax(self.model_, self._features(states), self.n_lags_)
        for lag in range(n_lags):
            yield scores[:, lag] - self.channel.log_prior
