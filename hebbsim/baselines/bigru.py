"""A supervised bidirectional GRU that predicts the role of every token."""

from __future__ import annotations

import importlib
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hebbsim.baselines.config import BiGRUConfig, config_for
from hebbsim.baselines.features import Vocabulary
from hebbsim.errors import BadInputError, LibraryMissingError

if TYPE_CHECKING:
    from hebbsim.baselines._network import Tagger
    from hebbsim.readers.base import Split


class TorchMissingError(LibraryMissingError):
    """A BiGRU needs torch, which is not installed.

    Examples
    --------
    >>> str(TorchMissingError())
    "torch is not installed: pip install 'hebbsim[torch]'"
    """

    def __init__(self) -> None:
        super().__init__("torch", "torch")


def _network_module() -> Any:
    """The module with the torch code."""
    try:
        return importlib.import_module("hebbsim.baselines._network")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "torch":
            raise
        raise TorchMissingError from None


class BiGRU:
    """A trained tagger, made by `train_bigru`.

    Attributes
    ----------
    roles : ndarray of str, shape=(R,)
        The roles of the labelled training sentences.
    dev_curve : list of float
        Accuracy on dev after each epoch; empty without a dev split.

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
            May include empty sentences and unknown words.

        Returns
        -------
        ndarray of str, shape=(T,)
        """
        return self.roles[self._run("tag", sentences)]

    def forward_states(self, sentences: Sequence[Sequence[str]]) -> NDArray[np.float32]:
        """State of the first layer's forward GRU after every token, shape=(T, H)."""
        return self._run("forward_states", sentences)

    def _run(self, function: str, sentences: Sequence[Sequence[str]]) -> NDArray[Any]:
        module = _network_module()
        device = self._network.output.weight.device
        with module.reproducible(0, device):
            tokens = module.Tokens.of(sentences, self._vocabulary, device)
            return getattr(module, function)(self._network, tokens)


def untrained_bigru(train: Split, config: BiGRUConfig, *, seed: int = 0) -> BiGRU:
    """A BiGRU with random weights and the vocabulary of a split."""
    module = _network_module()
    device = module.choose_device()
    with module.reproducible(seed, device):
        vocabulary = Vocabulary(train.sentences(), None)
        network = module.Tagger(vocabulary, 1, config).to(device)
    return BiGRU(network, vocabulary, np.array(["NONE"]), [])


def draw_labelled(n_sentences: int, labels: int, seed: int) -> NDArray[np.int64]:
    """Indices of the labelled sentences; each draw contains the smaller ones of its seed."""
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

    With `dev`, training stops when accuracy on it no longer improves, and the weights of the best
    epoch are used. Without `dev`, all epochs are run, and no labels are used to choose one.

    The same arguments give the same weights on the same machine (bit-identical on a CPU).
    Training uses a GPU if torch finds one, otherwise one CPU thread.

    Parameters
    ----------
    train : Split
    layer : str
        Gold layer to learn, as in ``"grammatical"``.
    dev : Split, optional
        Ignored if `labels` is given.
    labels : int, optional
        Number of sentences to learn from, drawn from `train` by `seed`; the other
        sentences are not used at all, not even their words (default: all).
    codes : mapping of str to ndarray, shape=(C,), optional
        Codes of words, which may include words outside `train`. The embedding of a word
        is a linear map of its code plus a learned difference that starts at zero.
    config : BiGRUConfig, optional
        (default: `config_for` of the whole of `train`).
    seed : int

    Raises
    ------
    TorchMissingError
        Torch is not installed.
    BadInputError
        There is no such layer, no labelled token, or fewer than `labels` sentences.
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
