"""The source and the learners of `hebbsim run stream`, and the corpus that scores these."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbsim.engine import TraceEngine
from hebbsim.errors import BadInputError
from hebbsim.experiments.roles.data import with_scored_splits
from hebbsim.experiments.stream.config import StreamConfig
from hebbsim.probes import RoleReadout
from hebbsim.readers.lines import digest, is_stdin
from hebbsim.readers.text import stream_text, text_files

BUILTIN = "builtin"


class TokenStream:
    """Sentences of files, or of the built-in corpus."""

    def __init__(self, config: StreamConfig) -> None:
        paths = config.corpus
        self.seed = config.seed
        self.inputs: dict[str, str] = {}
        self.files: list[Path] = []
        self.notes: dict[str, None] = {}
        self.stdin = False
        self._learned = hashlib.sha256()
        self._reading = config.reading
        if tuple(paths) == (BUILTIN,):
            self.name = BUILTIN
            return
        self.files = text_files(paths, self.notes.setdefault, config.field)
        self.name = "+".join(Path(path).name or "text" for path in paths)
        self.stdin = any(map(is_stdin, self.files))
        if self.stdin:
            if len(self.files) > 1:
                raise BadInputError("--corpus -: standard input cannot be mixed with files")
            self.name = "stdin"
        else:
            names = [file.name for file in self.files]
            self.inputs = {
                name if names.count(name) == 1 else str(file): digest(file, unpacked=False)
                for name, file in zip(names, self.files, strict=True)
            }

    @property
    def learned(self) -> str:
        """Digest of the sentences learned from standard input; files have their own digests."""
        return self._learned.hexdigest()

    def note(self, sentences: Iterable[list[str]]) -> None:
        """Add learned sentences to the digest."""
        for sentence in sentences if self.stdin else ():
            text = "\0".join([*sentence, "\n"])
            self._learned.update(text.encode(errors="surrogatepass"))

    def sentences(self, start: int, learned: str, *, repeat: bool) -> Iterator[list[str]]:
        """Sentences from `start` on; BadInputError if skipped standard input is not `learned`."""
        passed = 0
        while True:
            sentence = None
            for sentence in self._once():
                if passed < start:
                    self.note([sentence])
                elif passed == start:
                    self._check(learned)
                passed += 1
                if passed > start:
                    yield sentence
            if passed <= start:
                self._check(learned)
            if sentence is None or not repeat or self.stdin:
                return

    def _check(self, learned: str) -> None:
        if self.stdin and self.learned != learned:
            raise BadInputError(
                "--corpus -: standard input is not the text that the interrupted run had "
                "learned; give that text again, or name another folder with --out"
            )

    def _once(self) -> Iterator[list[str]]:
        if self.files:
            return stream_text(self.files, note=self.notes.setdefault, **self._reading)
        from hebbsim.readers import load_corpus

        return iter(load_corpus(BUILTIN, seed=self.seed).splits["train"].sentences())


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
