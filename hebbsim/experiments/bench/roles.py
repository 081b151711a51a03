"""Zero-label roles: the whole fit of a learner, beside training the BiGRU to convergence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hebbsim.errors import BadInputError
from hebbsim.experiments.bench.harness import Contender
from hebbsim.experiments.bench.work import Work

__all__ = ["roles"]


def roles(corpus: str = "builtin", offline: bool = False) -> Work:
    """Both learn from the train split of the corpus; the BiGRU stops when dev no longer gains.

    The learner is that of ``hebbsim run roles --preset best``, without further text. Of a
    corpus without dev, training sentences are held out as by that command.

    Raises
    ------
    BadInputError
        The corpus has no roles, or too few sentences.
    """
    from hebbsim.experiments.roles_config import RolesConfig
    from hebbsim.experiments.roles_data import check_splits, hold_out
    from hebbsim.readers import load_corpus

    config = RolesConfig.checked({"corpus": corpus, "preset": "best", "offline": offline})
    loaded = load_corpus(config.corpus, offline=offline)
    layer = loaded.layer
    if layer is None:
        raise BadInputError(
            f"--corpus {corpus}: text without roles, which the BiGRU learns from; give an "
            "annotated corpus"
        )
    loaded, note = hold_out(loaded)
    check_splits(loaded, layer)
    train, dev = loaded.splits["train"], loaded.splits["dev"]

    def fit(n: int) -> Callable[[], Any]:
        sentences = train.sentences()
        config.learner(0).fit(sentences[:400])  # kernels compiled
        return lambda: config.learner(0).fit(sentences)

    def bigru(n: int) -> Callable[[], Any]:
        from hebbsim.baselines import BiGRUConfig, train_bigru

        short = BiGRUConfig(epochs=1, min_updates=1)
        train_bigru(train.subset(range(8)), layer, dev=None, config=short)  # torch loaded
        return lambda: train_bigru(train, layer, dev=dev, seed=0)

    scale: dict[str, Any] = {"most": 1, "scale": float(train.n_tokens)}
    return Work(
        "roles",
        f"zero-label fit on {loaded.name}, {train.n_tokens:,} tokens",
        [
            Contender("whole fit", fit, "numba", True, **scale),
            Contender("BiGRU", bigru, "torch", **scale, note="all labels, to convergence on dev"),
        ],
        corpus=loaded.name,
        size={"tokens": train.n_tokens, "clusters": config.clusters},
        rounds=1,
        rehearsed=False,
        bounded=False,
        notes=[note] if note else [],
    )
