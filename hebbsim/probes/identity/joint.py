"""Decoders that track several hypotheses about the past."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hebbsim.probes.identity.decoders import Channel, Decoder
from hebbsim.probes.identity.states import Floats, Ints

#: Number of states processed at a time, which bounds memory use.
_AT_ONCE = 32
#: Assumed probability that the correct past was dropped from the list.
_LOST = 0.2


class Beam(Decoder):
    """Successive cancellation with a list of likely pasts instead of one (list decoding).

    A past of the last k tokens is scored by the likelihood of the residual of all traces, with
    older tokens treated as Gaussian noise (Anderson & Mohan 1984 on the M-algorithm). The
    likelihood of a type at a lag is the sum over the pasts that survive to the end, mixed with
    its likelihood at the time when that lag was decoded.
    """

    name = "beam"
    width: ClassVar[int] = 32

    def decode(self, states: Floats, n_lags: int) -> Iterator[Floats]:
        channel = self.channel
        whitening = [_whitening(channel, lag + 1) for lag in range(n_lags)]
        parts = [
            self._search(states[start : start + _AT_ONCE], whitening)
            for start in range(0, len(states), _AT_ONCE)
        ]
        pasts, weights, first = (np.concatenate(part) for part in zip(*parts, strict=True))
        rows = np.arange(len(states))[:, None]
        for lag in range(n_lags):
            total = np.zeros((len(states), len(channel.codes)))
            np.add.at(total, (rows, pasts[:, :, lag]), weights)
            mixed = (1 - _LOST) * total + _LOST * first[:, lag]
            yield np.log(np.maximum(mixed, np.finfo(np.float64).tiny)) - channel.log_prior

    def _search(
        self, states: Floats, whitening: list[tuple[Floats, Floats, float]]
    ) -> tuple[Ints, Floats, NDArray[np.float32]]:
        """Surviving pasts, shape=(n, B, K), and their posterior, shape=(n, B).

        Also the posterior of types when each lag was decoded, shape=(n, K, V).
        """
        channel = self.channel
        codes = channel.codes
        n, n_types = len(states), len(codes)
        rest = states[:, None]
        pasts = np.zeros((n, 1, len(whitening)), dtype=np.int64)
        prior = np.zeros((n, 1))  # of the pasts
        joint = prior
        first = np.empty((n, len(whitening), n_types), dtype=np.float32)
        rows = np.arange(n)[:, None]
        for lag, (white, older, log_scale) in enumerate(whitening):
            gains = white @ channel.gains(lag + 1)[lag]
            left = np.einsum("rs,nbsd->nbrd", white, rest - older)
            # |left - gains (x) code|**2, without forming it for every type
            along = np.einsum("r,nbrd->nbd", gains, left) @ codes.T
            energy = (left**2).sum(axis=(2, 3))[:, :, None] - 2 * along
            energy += (gains @ gains) * (codes**2).sum(axis=1)
            of_types = prior[:, :, None] + channel.log_prior
            scores = (of_types - energy / 2 + log_scale).reshape(n, -1)
            of_all = np.exp(scores - scores.max(axis=1, keepdims=True)).reshape(n, -1, n_types)
            of_all = of_all.sum(axis=1)
            first[:, lag] = of_all / of_all.sum(axis=1, keepdims=True)
            kept = min(self.width, scores.shape[1])
            best = np.argpartition(-scores, kept - 1, axis=1)[:, :kept]
            parent, chosen = np.divmod(best, n_types)
            pasts = pasts[rows, parent]
            pasts[:, :, lag] = chosen
            prior = of_types.reshape(n, -1)[rows, best]
            joint = scores[rows, best]
            rest = (
                rest[rows, parent]
                - channel.gains(lag + 1)[lag][:, None] * codes[chosen][:, :, None, :]
            )
        weights = np.exp(joint - joint.max(axis=1, keepdims=True))
        return pasts, weights / weights.sum(axis=1, keepdims=True), first


def _whitening(channel: Channel, cancelled: int) -> tuple[Floats, Floats, float]:
    """Matrix that whitens noise and tokens older than the `cancelled` ones, shape=(S, S).

    Also the mean of the older tokens, shape=(S, D), and the log density of the white noise, up to
    a constant.
    """
    older = channel.past[cancelled:]
    # A square root of the covariance, which itself would lose half of the digits.
    root = np.concatenate([older * np.sqrt(channel.power), np.diag(channel.noise)])
    _, strengths, axes = np.linalg.svd(root, full_matrices=False)
    least = max(strengths.max() * np.finfo(np.float64).eps, np.finfo(np.float64).tiny)
    strengths = np.maximum(strengths, least)
    mean = older.sum(axis=0)[:, None] * channel.mean
    return axes / strengths[:, None], mean, -float(np.log(strengths).sum()) * channel.codes.shape[1]
