"""A layer that learns by one local rule from the multi-timescale traces of a token stream."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hebbsim.engine.checkpoint import write_checkpoint
from hebbsim.engine.chunks import chunk_length, through_chunks
from hebbsim.engine.engine_file import KIND, load_engine, rng_words, set_rng
from hebbsim.engine.memory import aligned_copy, aligned_empty, all_finite
from hebbsim.engine.recorder import Recorder
from hebbsim.engine.rules import get_rule
from hebbsim.engine.timescales import check_timescales
from hebbsim.engine.traces import (
    check_offsets,
    check_out,
    check_tokens,
    check_vectors,
    decays,
    sentence_starts,
    startup_code,
)
from hebbsim.engine.values import number, whole_number
from hebbsim.errors import BadInputError, DivergenceError, DivergenceWarning

# Tokens between two checks for divergence, which copy all weights; affects no result.
_CHUNK = 1024

# Weights start at a length of about 1; beyond this they are probably diverging.
_LARGE = 1e6


class TraceEngine:
    """Traces of embedded tokens, and weights that learn from them by a local rule.

    At each token t, in this order:

    1. The input ``h`` (pre) is the context: the concatenated traces of all timescales
       (n = S * D) over the tokens before t. It excludes token t, which predictive rules predict.
    2. The activity ``y`` (post) of the units is their response, ``W h`` or a function of it;
       with ``post="token"`` it is the vector of token t. Predictive rules (delta, stdp)
       have one unit per dimension of that vector.
    3. The rule changes ``W``.
    4. The traces absorb token t.

    Memory use does not grow with the text: ``run`` accepts a text of any length in pieces.

    ``step`` and ``run`` give bit-identical results, however a stream is cut into calls. The
    exceptions are rules with a second kernel that processes four tokens at a time (delta, nlms,
    softmax, and hebb with ``post="output"``). It is exact up to rounding, so the last bits
    depend on where the stream is cut, recorded or reported. With ``in_order=True`` these rules
    process one token at a time, too.

    Parameters
    ----------
    n_types : int
        Vocabulary size V.
    dim : int
        Dimension D of the random codes that embed tokens, of length about 1.
    embedding : array_like of float, shape=(V, D), optional
        Finite codes to use instead of random ones.
    timescales : str or iterable of float, shape=(S,)
        Timescales of the traces in tokens, see :func:`~hebbsim.engine.timescales.check_timescales`.
    rule : str
        Learning rule, one of :func:`~hebbsim.engine.rules.rule_names`.
    n_units : int, optional
        Number of units m (default: D, which ``post="token"`` and predictive rules require).
    eta : float, optional
        Learning rate, at least 0 (default: that of the rule); may be changed between calls.
    startup : {"zero", "first", "debias"}
        How a trace is initialized at the start of a sentence, see :mod:`hebbsim.engine.traces`.
    reset : bool
        Whether traces restart at each sentence.
    post : {"output", "token"}, optional
        What the activity is, see above (default: the first option of the rule).
    parameters : mapping of str to float, optional
        Parameters of the rule that differ from its defaults.
    in_order : bool
        Process one token at a time with every rule, at about half the speed.
    random_state : int
        Seeds the codes and the initial weights (normal, of length about 1; zero for
        predictive rules and ``post="token"``).

    Attributes
    ----------
    weights : ndarray of float32, shape=(m, S * D)
    traces : ndarray of float32, shape=(S, D)
        The traces after the last token: the input at the next one.
    rule_state : ndarray of float32, shape=(Q,)
        State of the rule besides the weights (thresholds, running means).
    embedding : ndarray of float32, shape=(V, D)
    position : int
        Number of tokens learned so far.
    rng : numpy.random.Generator
        Source of all random draws; part of every checkpoint.

    Raises
    ------
    BadInputError
        An argument is unusable.

    Examples
    --------
    >>> engine = TraceEngine(3, dim=4, timescales=[2], rule="delta", eta=0.5)
    >>> engine.run([0, 1, 0, 1, 2], offsets=[0, 2, 5]).position
    5
    """

    def __init__(
        self,
        n_types: int,
        *,
        dim: int = 64,
        embedding: ArrayLike | None = None,
        timescales: str | Iterable[float] = (2, 8, 32),
        rule: str = "delta",
        n_units: int | None = None,
        eta: float | None = None,
        startup: str = "zero",
        reset: bool = True,
        post: str | None = None,
        parameters: Mapping[str, float] | None = None,
        in_order: bool = False,
        random_state: int = 0,
    ) -> None:
        self.n_types = whole_number("n_types", n_types, 1)
        self.timescales = check_timescales(timescales)
        self.rule = get_rule(rule)
        self.eta = self.rule.eta if eta is None else eta
        self.startup = startup
        self.reset = bool(reset)
        self.in_order = bool(in_order)
        self.post = self.rule.posts[0] if post is None else post
        self.parameters = self.rule.resolve(parameters)
        random_state = whole_number("random_state", random_state, 0)
        self.rng = np.random.default_rng(random_state)

        if embedding is None:
            dim = whole_number("dim", dim, 1)
            codes = self.rng.standard_normal((self.n_types, dim), dtype=np.float32)
            self.embedding = aligned_copy(codes / np.float32(np.sqrt(dim)))
        else:
            self.embedding = aligned_copy(check_vectors(embedding))
            if len(self.embedding) != self.n_types:
                raise BadInputError(
                    f"embedding has {len(self.embedding)} rows for {self.n_types} types"
                )
        width = self.embedding.shape[1]
        n_inputs = len(self.timescales) * width

        self.n_units = width if n_units is None else whole_number("n_units", n_units, 1)
        self.rule.check_sizes(self.post, n_inputs, self.n_units, width)
        self.weights = aligned_empty((self.n_units, n_inputs))
        self.weights[:] = 0
        if not self.rule.tied(self.post):
            self.rng.standard_normal(out=self.weights, dtype=np.float32)
            self.weights /= np.float32(np.sqrt(n_inputs))

        self.rule_state = self.rule.start(n_inputs, self.n_units)
        self.traces = np.zeros((len(self.timescales), width), dtype=np.float32)
        self._mass = np.zeros(len(self.timescales), dtype=np.float32)
        self._seen = np.zeros(1, dtype=np.int64)
        self.position = 0
        self._warned = False

        self._keep, self._alpha = decays(self.timescales)
        self._startup_code = startup_code(startup)
        self._parameter_values = np.array(list(self.parameters.values()), dtype=np.float32)
        self._recorders: list[Recorder] = []
        length = chunk_length(n_inputs)
        self._rows = aligned_empty((length + 1, *self.traces.shape))
        self._post = aligned_empty((length, self.n_units))
        self._backup = {name: np.empty_like(array) for name, array in self._changing().items()}

    @property
    def eta(self) -> float:
        return self._eta

    @eta.setter
    def eta(self, value: float) -> None:
        self._eta = number("eta", value, above=False)

    # Learning ------------------------------------------------------------------------------

    def step(self, token: int) -> NDArray[np.float32]:
        """Learn one token that continues the current sentence; see :meth:`run`.

        Slow for long texts: each call copies and checks all weights, which :meth:`run` does
        every 1024 tokens.

        Returns
        -------
        ndarray of float32, shape=(m,)
            Activity of the units, before the update.
        """
        post = np.empty((1, self.n_units), dtype=np.float32)
        self.run([token], out=post)
        return post[0]

    def end_sentence(self) -> None:
        """Restart the traces, unless ``reset=False``."""
        if self.reset:
            self.traces[:] = 0
            self._mass[:] = 0
            self._seen[:] = 0

    def run(
        self,
        tokens: ArrayLike,
        offsets: ArrayLike | None = None,
        *,
        out: NDArray[np.float32] | None = None,
        progress: Callable[[float, float], object] | None = None,
        period: float = 1.0,
    ) -> TraceEngine:
        """Learn a chunk of tokens.

        Parameters
        ----------
        tokens : array_like of int, shape=(T,)
        offsets : array_like of int, shape=(N + 1,), optional
            Sentence bounds, at which the traces restart. Tokens before the first bound
            continue the current sentence; a bound at T ends the last one. Default: all
            tokens continue the current sentence.
        out : ndarray of float32, shape=(T, m), optional
            Filled with the activity of the units at each token, before the update.
        progress : callable, optional
            ``progress(elapsed, fraction)``, called with seconds and the fraction of tokens
            learned, at most once every `period` seconds and once at the end.
        period : float
            In seconds.

        Returns
        -------
        TraceEngine
            The engine itself.

        Raises
        ------
        BadInputError
            Tokens or offsets are unusable; nothing has changed.
        DivergenceError
            A weight is no longer finite. The engine is left in its state before the token that
            caused this, the one at ``position``.

        Warns
        -----
        DivergenceWarning
            Once, when a weight exceeds 1e6.
        """
        index = check_tokens(tokens, self.n_types)
        n_tokens = len(index)
        bounds = check_offsets(offsets if self.reset else None, n_tokens)
        starts = sentence_starts(bounds, n_tokens)
        if out is not None:
            check_out(out, (n_tokens, self.n_units))

        began = reported = time.perf_counter()
        done = 0
        while done < n_tokens:
            length = min(_CHUNK, n_tokens - done)
            for recorder in self._recorders:
                length = min(length, recorder.due_in(self.position))
            chunk = slice(done, done + length)
            post = self._post if out is None else out[chunk]
            self._learn_checked(index[chunk], starts[chunk], post)
            for recorder in self._recorders:
                recorder.observe(self, post[(length - 1) % len(post)])
            done += length
            self._warn_of_growth()
            now = time.perf_counter()
            if progress is not None and now - reported >= period and done < n_tokens:
                progress(now - began, done / n_tokens)
                reported = now
        if len(bounds) and bounds[-1] == n_tokens:
            self.end_sentence()
        if progress is not None:
            progress(time.perf_counter() - began, 1.0)
        return self

    def _learn(
        self, tokens: NDArray[np.int32], starts: NDArray[np.bool_], post: NDArray[np.float32]
    ) -> None:
        """Learn tokens unchecked; `post` has a row for each of them, or for each of a chunk."""
        blocks = None if self.in_order else self.rule.learn_blocks
        through_chunks(blocks or self.rule.learn)(
            tokens, self.embedding, starts, self._keep, self._alpha, self._startup_code,
            self.traces, self._mass, self._seen, self._rows, self.weights, self.rule_state,
            self.post == "token", np.float32(self._eta), self._parameter_values, post,
        )  # fmt: skip

    def _learn_checked(
        self, tokens: NDArray[np.int32], starts: NDArray[np.bool_], post: NDArray[np.float32]
    ) -> None:
        # With the JIT off, numpy would warn of the overflow that is checked for here.
        with np.errstate(over="ignore", invalid="ignore"):
            self._back_up()
            self._learn(tokens, starts, post)
            if self._is_finite():
                self.position += len(tokens)
                return
            # Again token by token, to find the one at which weights overflow.
            self._roll_back()
            for t in range(len(tokens)):
                self._back_up()
                at = t % len(post)
                self._learn(tokens[t : t + 1], starts[t : t + 1], post[at : at + 1])
                if not self._is_finite():
                    break
                self.position += 1
            else:  # by rounding, only four tokens at a time overflowed
                return
            self._roll_back()
        raise DivergenceError(
            f"rule {self.rule.name} diverged at token {self.position}: its weights are no longer "
            f"finite with learning rate eta={self._eta:g}; lower eta"
        )

    def _warn_of_growth(self) -> None:
        if self._warned or not self._eta:
            return
        largest = max(float(self.weights.max()), -float(self.weights.min()))
        if largest > _LARGE:
            self._warned = True
            warnings.warn(
                f"rule {self.rule.name}: weights have grown to {largest:.1g} at token "
                f"{self.position} and may soon be infinite with learning rate "
                f"eta={self._eta:g}; lower eta",
                DivergenceWarning,
                stacklevel=3,
            )

    def _is_finite(self) -> bool:
        # Infinity and NaN never become finite again, so one check at the end suffices.
        return all_finite(self.weights.reshape(-1)) and all_finite(self.rule_state)

    def _changing(self) -> dict[str, NDArray[Any]]:
        """Arrays that learning changes."""
        return {
            "weights": self.weights,
            "rule_state": self.rule_state,
            "traces": self.traces,
            "mass": self._mass,
            "seen": self._seen,
        }

    def _back_up(self) -> None:
        for name, array in self._changing().items():
            np.copyto(self._backup[name], array)

    def _roll_back(self) -> None:
        for name, array in self._changing().items():
            np.copyto(array, self._backup[name])

    # Recording -----------------------------------------------------------------------------

    def record(
        self, variable: str = "weights", *, every: int = 1000, units: Sequence[int] | None = None
    ) -> Recorder:
        """Record the values of chosen units from now on; checkpoints hold no records.

        Parameters
        ----------
        variable : {"weights", "traces", "post"}
        every : int
            Record whenever `position` is a multiple of this.
        units : sequence of int, optional
            Rows of the weights, columns of the traces or units of post (default: all).

        Returns
        -------
        Recorder
            Its ``positions``, shape=(M,), are the numbers of tokens learned at each record; its
            ``values``, float32, have shape=(M, U, S * D) for weights, (M, S, U) for traces and
            (M, U) for post.

        Examples
        --------
        >>> engine = TraceEngine(2, dim=4, timescales=[2, 8])
        >>> recorder = engine.record("traces", every=2, units=[0, 3])
        >>> _ = engine.run([0, 1, 1, 0, 1])
        >>> recorder.positions, recorder.values.shape
        (array([2, 4]), (2, 2, 2))
        """
        shapes = {
            "weights": self.weights.shape,
            "traces": self.traces.shape,
            "post": (self.n_units,),
        }
        recorder = Recorder(variable, every, units, shapes.get(variable, ()))
        self._recorders.append(recorder)
        return recorder

    # State ---------------------------------------------------------------------------------

    def config(self) -> dict[str, Any]:
        """JSON-compatible arguments of the constructor, without the embedding, which is state."""
        return {
            "n_types": self.n_types,
            "timescales": self.timescales.tolist(),
            "rule": self.rule.name,
            "n_units": self.n_units,
            "eta": self._eta,
            "startup": self.startup,
            "reset": self.reset,
            "post": self.post,
            "parameters": self.parameters,
            "in_order": self.in_order,
        }

    def state(self) -> dict[str, NDArray[Any]]:
        """Copies of all state as arrays, including the random state."""
        return {
            "embedding": self.embedding.copy(),
            **{name: array.copy() for name, array in self._changing().items()},
            "position": np.array([self.position], dtype=np.int64),
            "rng": rng_words(self.rng),
        }

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Restore what :meth:`state` returned, of an engine of the same shape.

        Raises
        ------
        BadInputError
            An array is missing, not finite or of another shape or dtype; nothing has changed.
        """
        for name, array in self.state().items():
            if name not in state:
                raise BadInputError(f"state of an engine lacks {name}")
            given = state[name]
            if given.shape != array.shape or given.dtype != array.dtype:
                raise BadInputError(
                    f"{name} in the state is {given.dtype} of shape {given.shape}, "
                    f"not {array.dtype} of shape {array.shape}"
                )
            if not np.isfinite(given).all():
                raise BadInputError(f"{name} in the state holds NaN or inf")
        np.copyto(self.embedding, state["embedding"])
        for name, array in self._changing().items():
            np.copyto(array, state[name])
        self.position = int(state["position"][0])
        set_rng(self.rng, state["rng"])

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write configuration and state to a safetensors file, atomically.

        Raises
        ------
        BadInputError
            The file cannot be written.
        """
        write_checkpoint(path, KIND, self.state(), self.config())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> TraceEngine:
        """Load the engine that :meth:`save` wrote; learning continues as if uninterrupted.

        Raises
        ------
        BadInputError
            The file is missing, damaged or holds no engine, or its rule is not registered here.
        """
        return load_engine(cls, path)
