"""The learners of `hebbsim run stream`, and the corpus that they are scored on."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbsim.engine import TraceEngine
from hebbsim.errors import BadInputError
from hebbsim.experiments.roles.data import with_scored_splits
from hebbsim.experiments.stream.config import StreamConfig
from hebbsim.probes import RoleReadout


class RolesLearner:
    """Trains the network of `hebbsim run roles`, sentence by sentence."""

    def __init__(self, config: StreamConfig) -> None:
        self.model = config.role_network()

    def learn(self, sentences: list[list[str]]) -> None:
        self.model.partial_fit(sentences)

    @property
    def n_types(self) -> int:
        return len(self.model.network_.index)

    def state(self) -> tuple[dict[str, NDArray[Any]], Any]:
        return self.model.state()

    def restore(self, arrays: dict[str, NDArray[Any]], about: Any) -> None:
        if about["network"] != self.state()[1]["network"]:
            raise BadInputError("the checkpoint is of another network; remove it to begin anew")
        self.model.restore(arrays, about, "of the interrupted run")

    def save(self, path: Path) -> None:
        self.model.save(path)


class EngineLearner:
    """Trains one local rule on traces of the words."""

    def __init__(self, config: StreamConfig) -> None:
        # Words that appear once the vocabulary is full share the last number.
        self.index: dict[str, int] = {}
        self.model: TraceEngine = TraceEngine(
            config.vocab_size,
            dim=config.dim,
            timescales=config.timescales,
            rule=config.rule,
            in_order=True,
            random_state=config.seed,
        )

    def learn(self, sentences: list[list[str]]) -> None:
        other = self.model.n_types - 1
        ids, offsets = [], [0]
        for sentence in filter(None, sentences):
            for word in sentence:
                if word not in self.index and len(self.index) < other:
                    self.index[word] = len(self.index)
                ids.append(self.index.get(word, other))
            offsets.append(len(ids))
        self.model.run(ids, offsets)

    @property
    def n_types(self) -> int:
        return len(self.index)

    def state(self) -> tuple[dict[str, NDArray[Any]], Any]:
        return self.model.state(), {"config": self.model.config(), "words": list(self.index)}

    def restore(self, arrays: dict[str, NDArray[Any]], about: Any) -> None:
        if about["config"] != self.model.config():
            raise BadInputError("the checkpoint is of another engine; remove it to begin anew")
        self.index = {word: number for number, word in enumerate(about["words"])}
        self.model.restore(arrays)

    def save(self, path: Path) -> None:
        self.model.save(path)


LEARNERS: dict[str, type[RolesLearner | EngineLearner]] = {
    "roles": RolesLearner,
    "engine": EngineLearner,
}


def state_digest(arrays: dict[str, NDArray[Any]], about: Any) -> str:
    """SHA-256 of the whole state."""
    sha256 = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    for name in sorted(arrays):
        sha256.update(np.ascontiguousarray(arrays[name]).tobytes())
    return sha256.hexdigest()


class ScoredCorpus:
    """A corpus with roles, whose dev names the clusters of a learner and whose test scores them."""

    def __init__(self, name: str) -> None:
        from hebbsim.readers import load_corpus

        self.corpus = with_scored_splits(load_corpus(name), f"--score {name}")
        splits = [self.corpus.splits[split] for split in ("dev", "test")]
        self.sentences = [split.sentences() for split in splits]
        self.roles = [split.layers[self.corpus.layer or ""] for split in splits]

    def accuracy(self, learner: RolesLearner | EngineLearner) -> float | None:
        """Accuracy on test, with clusters named by majority; None before the first clusters."""
        if not isinstance(learner, RolesLearner) or not learner.model.network_.settled:
            return None
        dev, test = (learner.model.predict(sentences) for sentences in self.sentences)
        named = RoleReadout().fit(dev, self.roles[0]).predict(test)
        return float((named == self.roles[1]).mean())
