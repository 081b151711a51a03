"""Zero-label roles: the fit of a network, and other learners on the same tokens."""

import logging
from collections.abc import Callable
from typing import Any

from hebbsim.bench.harness import Contender, Work

#: Vectors that MiniBatchKMeans takes at a time.
BATCH = 1024


def roles(corpus: str = "builtin", offline: bool = False) -> Work:
    """All contenders learn from the train split; the BiGRU stops when dev no longer improves.

    The network is that of ``hebbsim run roles --preset best``, without additional text. Two
    contenders do a part of its work in as many passes: word2vec learns vectors of words, as the
    word layers do, and MiniBatchKMeans clusters vectors of tokens, as the token layer does. If
    the corpus has no dev, training sentences are held out as in that command.

    Raises BadInputError if the corpus has no roles, or too few sentences.
    """
    from hebbsim.experiments.roles.config import RolesConfig
    from hebbsim.experiments.roles.data import with_scored_splits
    from hebbsim.readers import load_corpus

    config = RolesConfig.checked({"corpus": corpus, "preset": "best", "offline": offline})
    loaded = load_corpus(config.corpus, offline=offline)
    loaded = with_scored_splits(loaded, f"--corpus {corpus}")
    layer, network = loaded.layer or "", config.described()
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

    def word2vec(n: int) -> Callable[[], Any]:
        from gensim.models import Word2Vec

        logging.getLogger("gensim").setLevel(logging.ERROR)
        sentences = [list(sentence) for sentence in train.sentences()]
        size = network["words"][-1]["size"]
        return lambda: Word2Vec(
            sentences, sg=1, vector_size=size, min_count=1, epochs=config.passes, workers=1, seed=0
        )

    def kmeans(n: int) -> Callable[[], Any]:
        from sklearn.cluster import MiniBatchKMeans

        vectors = config.learner(0).fit(train.sentences()).transform(train.sentences())
        batches = range(0, len(vectors), BATCH)

        def run() -> Any:
            model = MiniBatchKMeans(config.clusters, n_init=1, batch_size=BATCH, random_state=0)
            for _ in range(config.passes):
                for start in batches:
                    if len(part := vectors[start : start + BATCH]) >= config.clusters:
                        model.partial_fit(part)
            return model

        return run

    scale: dict[str, Any] = {"most": 1, "scale": float(train.n_tokens)}
    return Work(
        "roles",
        f"zero-label fit on {loaded.name}, {train.n_tokens:,} tokens",
        [
            Contender("whole fit", fit, "numba", True, **scale),
            Contender("BiGRU", bigru, "torch", **scale, note="all labels, to convergence on dev"),
            Contender("gensim skip-gram", word2vec, "gensim", **scale,
                      note="vectors of words alone"),
            Contender("sklearn MiniBatchKMeans", kmeans, "sklearn", **scale,
                      note="tokens alone, of vectors that are there"),
        ],
        corpus=loaded.name,
        size={"tokens": train.n_tokens, "clusters": config.clusters},
        rounds=1,
        rehearsed=False,
        bounded=False,
        notes=loaded.notes,
    )  # fmt: skip
