"""A supervised bidirectional GRU that gives every token its role."""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hebbsim.baselines.features import Vocabulary
from hebbsim.errors import BadInputError, HebbsimError

if TYPE_CHECKING:
    from hebbsim.baselines._network import Tagger
    from hebbsim.readers.base import Split

__all__ = [
    "BiGRU",
    "BiGRUConfig",
    "TorchMissingError",
    "config_for",
    "draw_labelled",
    "train_bigru",
    "untrained_bigru",
]


class TorchMissingError(HebbsimError):
    """A BiGRU was asked for where torch is not installed.

    Examples
    --------
    >>> str(TorchMissingError())
    "torch is not installed: pip install 'hebbsim[torch]'"
    """

    def __init__(self) -> None:
        super().__init__("torch is not installed: pip install 'hebbsim[torch]'")


@dataclass(frozen=True)
class BiGRUConfig:
    """Size and training of a `BiGRU`.

    The defaults are for text of a small vocabulary; see `config_for`.

    Parameters
    ----------
    word_size, affix_size : int
        Dimensions of word and affix embeddings; without affixes (0) a word
        never seen is just an unknown word.
    hidden, layers : int
        GRU units per direction; layers of both directions.
    dropout : float in [0, 1)
        Variational dropout before every GRU layer and before the output: one
        mask a sentence (Gal & Ghahramani 2016, "A Theoretically Grounded
        Application of Dropout in Recurrent Neural Networks", section 4).
    word_dropout : float
        A word seen n times is replaced by the unknown word with probability
        ``word_dropout / (word_dropout + n)`` (Kiperwasser & Goldberg 2016,
        "Simple and Accurate Dependency Parsing Using Bidirectional LSTM
        Feature Representations", section 4).
    embedding_scale : float
        Standard deviation of embeddings at the start.
    learning_rate, weight_decay : float
        Of AdamW. The rate rises over the first tenth of all updates and falls
        linearly to zero.
    batch_size : int
        Sentences an update, of like length.
    epochs, min_updates : int
        Passes over the sentences; as many more as `min_updates` updates need.
    patience : int
        Epochs without gain on dev after which training stops.

    Raises
    ------
    BadInputError
        If a value is not finite or out of range.

    Examples
    --------
    >>> BiGRUConfig(hidden=64, layers=1).hidden
    64
    """

    word_size: int = 32
    affix_size: int = 16
    hidden: int = 48
    layers: int = 1
    dropout: float = 0.5
    word_dropout: float = 0.25
    embedding_scale: float = 0.1
    learning_rate: float = 1e-2
    weight_decay: float = 0.01
    batch_size: int = 32
    epochs: int = 3
    min_updates: int = 300
    patience: int = 5

    def __post_init__(self) -> None:
        may_be_zero = {"affix_size", "dropout", "word_dropout", "weight_decay", "min_updates"}
        for name in (field.name for field in fields(self)):
            value = getattr(self, name)
            low = 0 if name in may_be_zero else 1e-12
            high = 1 - 1e-12 if name == "dropout" else math.inf
            if not (math.isfinite(value) and low <= value <= high):
                raise BadInputError(f"BiGRUConfig: {name}={value} is out of range")


#: Chosen on the dev splits of the built-in corpus and of COGS, and on that of
#: UD English EWT.
SMALL_VOCABULARY = BiGRUConfig()
LARGE_VOCABULARY = BiGRUConfig(
    word_size=100,
    affix_size=100,
    hidden=128,
    layers=2,
    learning_rate=6e-3,
    batch_size=64,
    epochs=8,
)
#: Distinct words from which a vocabulary counts as large.
LARGE_FROM = 2000


def config_for(train: Split) -> BiGRUConfig:
    """The tuned configuration for a training split, by its number of distinct words.

    Generated corpora have hundreds of words and need a small network; natural
    text has thousands, most of them rare.
    """
    pages = range(0, len(train.forms), 4096)
    return config_of(train.forms[start : start + 4096].tolist() for start in pages)


def config_of(parts: Iterable[Iterable[str]]) -> BiGRUConfig:
    """The same for words in parts, such as sentences."""
    words: set[str] = set()
    for part in parts:  # natural text is told by its first pages
        words.update(part)
        if len(words) >= LARGE_FROM:
            return LARGE_VOCABULARY
    return SMALL_VOCABULARY


def _network_module() -> Any:
    """The module that holds the torch code."""
    try:
        return importlib.import_module("hebbsim.baselines._network")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "torch":
            raise
        raise TorchMissingError from None


class BiGRU:
    """A trained tagger; `train_bigru` makes it.

    Attributes
    ----------
    roles : ndarray of str, shape=(R,)
        Roles that it can give: those of its labelled sentences.
    dev_curve : list of float
        Accuracy on dev after each epoch; empty where there was no dev split.

    Examples
    --------
    >>> import importlib.util
    >>> from hebbsim.readers.base import make_split
    >>> sentences = [["dogs", "sleep"], ["cats", "run"]] * 8
    >>> split = make_split("train", sentences, {"role": ["SUBJ", "PRED"] * 16})
    >>> if importlib.util.find_spec("torch"):
    ...     config = BiGRUConfig(hidden=8, layers=1, epochs=2)
    ...     network = train_bigru(split, "role", config=config)
    ...     assert network.predict([["dogs", "run"]]).shape == (2,)
    """

    def __init__(
        self,
        network: Tagger,
        vocabulary: Vocabulary,
        roles: NDArray[np.str_],
        dev_curve: list[float],
    ) -> None:
        self.roles = roles
        self.dev_curve = dev_curve
        self._network = network
        self._vocabulary = vocabulary

    def parameters(self) -> list[NDArray[np.float32]]:
        """Copies of all weights, in a fixed order."""
        return [weights.detach().cpu().numpy().copy() for weights in self._network.parameters()]

    def predict(self, sentences: Sequence[Sequence[str]]) -> NDArray[np.str_]:
        """Role of every token, over all sentences.

        Parameters
        ----------
        sentences : sequence of sequence of str
            Sentences may be empty and words may be new.

        Returns
        -------
        ndarray of str, shape=(T,)
        """
        module = _network_module()
        device = self._network.output.weight.device
        with module.reproducible(0, device):
            tokens = module.Tokens.of(sentences, self._vocabulary, device)
            return self.roles[module.tag(self._network, tokens)]

    def forward_states(self, sentences: Sequence[Sequence[str]]) -> NDArray[np.float32]:
        """State of the first layer's left-to-right half after every token.

        Returns
        -------
        ndarray of float32, shape=(T, H)
        """
        module = _network_module()
        device = self._network.output.weight.device
        with module.reproducible(0, device):
            tokens = module.Tokens.of(sentences, self._vocabulary, device)
            return module.forward_states(self._network, tokens)


def untrained_bigru(train: Split, config: BiGRUConfig, *, seed: int = 0) -> BiGRU:
    """A BiGRU as its weights were drawn, with the words of a split.

    Raises
    ------
    TorchMissingError
        If torch is not installed.
    """
    module = _network_module()
    device = module.choose_device()
    with module.reproducible(seed, device):
        vocabulary = Vocabulary(train.sentences(), None)
        network = module.Tagger(vocabulary, 1, config).to(device)
    return BiGRU(network, vocabulary, np.array(["NONE"]), [])


def draw_labelled(n_sentences: int, labels: int, seed: int) -> NDArray[np.int64]:
    """Which sentences are labelled [shape=(labels,)].

    A smaller draw lies inside every larger one of the same seed.
    """
    return np.random.default_rng(seed).permutation(n_sentences)[:labels]


def _labelled(train: Split, layer: str, labels: int | None, seed: int) -> Split:
    if layer not in train.layers:
        raise BadInputError(
            f"split '{train.name}' has no layer '{layer}'; it has: {', '.join(train.layers)}"
        )
    if labels is not None:
        if not 1 <= labels <= train.n_sentences:
            raise BadInputError(
                f"labels={labels}: split '{train.name}' has {train.n_sentences} sentences to draw"
            )
        train = train.subset(draw_labelled(train.n_sentences, labels, seed))
    if not train.n_tokens:
        raise BadInputError(f"split '{train.name}' has no labelled tokens to learn from")
    return train


def train_bigru(
    train: Split,
    layer: str,
    *,
    dev: Split | None = None,
    labels: int | None = None,
    codes: Mapping[str, NDArray[np.floating]] | None = None,
    config: BiGRUConfig | None = None,
    seed: int = 0,
) -> BiGRU:
    """Train a BiGRU on labelled sentences.

    With `dev`, the weights of the best epoch on it are kept and training stops
    when it no longer gains. Without, training runs its full length: the
    learning rate ends at zero, and no label is spent on choosing an epoch.

    The same arguments give the same weights on the same machine (bit for bit
    on a CPU). A GPU is used where torch finds one; on a CPU one thread is.

    Parameters
    ----------
    train : Split
    layer : str
        Gold layer to learn, as in ``"grammatical"``.
    dev : Split, optional
        Not looked at where `labels` is given.
    labels : int, optional
        Sentences whose labels are used, drawn from `train` by `seed`; of the
        other sentences nothing is, not even words. Default all.
    codes : mapping of str to ndarray, shape=(C,), optional
        Where given, the embedding of a word starts as a linear image of its
        code, words outside `train` included, and learns its difference to that.
    config : BiGRUConfig, optional
        Default what `config_for` says of `train`, all of it.
    seed : int

    Raises
    ------
    TorchMissingError
        If torch is not installed.
    BadInputError
        If there is no such layer, or not one labelled token, or fewer than
        `labels` sentences.
    """
    config = config or config_for(train)
    if labels is not None:
        dev = None
    train = _labelled(train, layer, labels, seed)
    module = _network_module()
    roles, numbers = np.unique(train.layers[layer], return_inverse=True)
    epochs = max(
        config.epochs, math.ceil(config.min_updates * config.batch_size / train.n_sentences)
    )
    device = module.choose_device()
    with module.reproducible(seed, device):
        sentences = train.sentences()
        vocabulary = Vocabulary(sentences, codes)
        network = module.Tagger(vocabulary, len(roles), config).to(device)
        dev_pair = None
        if dev is not None:
            place = {role: number for number, role in enumerate(roles.tolist())}
            gold = np.array([place.get(role, -1) for role in dev.layers[layer].tolist()])
            dev_pair = (module.Tokens.of(dev.sentences(), vocabulary, device), gold)
        curve = module.train(
            network,
            module.Tokens.of(sentences, vocabulary, device),
            numbers.astype(np.int64),
            dev=dev_pair,
            epochs=epochs,
            config=config,
            rng=np.random.default_rng(seed),
        )
    return BiGRU(network, vocabulary, roles, curve)
