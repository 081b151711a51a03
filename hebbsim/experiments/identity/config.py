"""Configuration of `hebbsim run identity`."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import field_validator, model_validator

from hebbsim.config import (
    Count,
    ExperimentConfig,
    Listed,
    Offline,
    Seeds,
    Timescales,
    computing_option,
    evaluation_option,
    option,
    split_list,
)
from hebbsim.errors import BadInputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hebbsim.probes.identity import Condition

#: Sets of timescales in the capacity map, by row name.
TIMESCALE_SETS = {
    "2": "2",
    "10": "10",
    "50": "50",
    "2,8,32": "2,8,32",
    "2,10,50": "2,10,50",
    # Geometric series from 2 to 64.
    "log8": ",".join(f"{2 * 32 ** (i / 7):.3g}" for i in range(8)),
    "log16": ",".join(f"{2 * 32 ** (i / 15):.3g}" for i in range(16)),
}

#: Memories that are compared by default: from `hebbsim.probes.identity`, and two GRUs.
MEMORIES = ("traces", "traces-learned", "window", "lmu", "fast-weights", "gru", "bigru")


class IdentityConfig(ExperimentConfig):
    """Configuration of `run_identity`; every field is an option of the command line.

    A file among `decoders` stands for the decoders that it defines, and is recorded in
    `decoder_files`, so that a run can be repeated. `map_seeds` is limited to `seeds`.

    Examples
    --------
    >>> IdentityConfig.checked({"noise": "30,10"}).noise
    (30.0, 10.0)
    """

    sentence: str | None = option(
        "Sentence to read back word by word instead of running the experiment; takes seconds.",
        metavar="TEXT",
    )
    stream: str = option(
        "Tokens to remember: uniform, zipf, or a corpus as in `hebbsim run roles`.",
        value="uniform",
        metavar="NAME|PATH",
    )
    timescales: Timescales = (2.0, 10.0, 50.0)
    codes: Literal["random", "one-hot", "learned"] = option(
        "Vector of each word: random, one-hot, or learned (from the contexts of words in the "
        "corpus of --stream).",
        value="random",
    )
    dim: Count = option("Number of dimensions of a random or learned code.", value=64, metavar="D")
    vocab_size: int = option(
        "Vocabulary size; rarer words share one unknown type.", value=1000, metavar="V", ge=2
    )
    lags: Count = option("Number of past tokens to decode: lags 0 to K - 1.", value=32, metavar="K")
    decoders: Annotated[tuple[str, ...], Listed] = option(
        "Comma-separated decoders: nearest, linear, ridge, cancellation, beam, language, "
        "pursuit, likelihood, discriminant, softmax, mlp, or a Python file with your own.",
        value=("nearest", "linear", "ridge", "cancellation"),
    )
    seeds: Seeds = 5
    decoder_files: tuple[str, ...] = evaluation_option(
        "Python files that define decoders of your own, which --decoders can name.",
        value=(),
        metavar="FILE.py...",
        each=True,
    )
    precision: Annotated[tuple[str, ...], Listed] = evaluation_option(
        "Comma-separated number formats in which the traces are stored.",
        value=("float64", "float32", "bfloat16", "int8"),
    )
    rounding: Literal["step", "readout"] = evaluation_option(
        "When the state is rounded: step (after every token) or readout (only when read).",
        value="step",
    )
    noise: Annotated[tuple[float, ...], Listed] = evaluation_option(
        "Noise to add to the traces: comma-separated signal-to-noise ratios in decibels, or none.",
        value=(40.0, 20.0, 0.0),
        metavar="DB,...",
    )
    states: int = evaluation_option(
        "Number of states decoded per seed, half to calibrate and half to score.", value=320, ge=16
    )
    training: int = evaluation_option(
        "Number of states that trained decoders learn from.", value=3200, ge=16
    )
    map_seeds: int = evaluation_option(
        "Number of repetitions of the capacity map (bits by set of timescales); 0 skips it.",
        value=5,
        ge=0,
    )
    map_decoder: str = evaluation_option(
        "Decoder for the capacity map; one that needs no training.", value="cancellation"
    )
    structure: str = evaluation_option(
        "Corpus whose structure is decoded too: a name or path, none, or auto (the corpus of "
        "--stream if it is one, otherwise builtin).",
        value="auto",
        metavar="NAME|PATH",
    )
    memories: Annotated[tuple[str, ...], Listed] = evaluation_option(
        "Comma-separated memories to compare at equal size, or none.", value=MEMORIES
    )
    probe: str = evaluation_option(
        "Trained decoder for structure: discriminant, ridge, softmax or mlp.", value="discriminant"
    )
    probe_training: int = evaluation_option(
        "Number of tokens that the probe learns from.", value=6000, ge=200
    )
    probe_states: int = evaluation_option(
        "Number of tokens that the probe reads, half to calibrate and half to score.",
        value=2400,
        ge=200,
    )
    limits: bool = evaluation_option(
        "Also measure what deeper processing of a state adds, and how many tokens one trace "
        "determines.",
        value=True,
    )
    workers: Count = computing_option(
        "Number of threads; results do not depend on it.", value=2, affects_results=False
    )
    offline: Offline = False

    @model_validator(mode="before")
    @classmethod
    def _load_files(cls, options: dict[str, Any]) -> dict[str, Any]:
        """Import decoder files, and replace files among the names by the decoders in them."""
        from hebbsim.probes.identity import load_decoders

        given = split_list(options.get("decoders", cls.model_fields["decoders"].default))
        among = [part for part in given if str(part).endswith(".py")]
        try:
            defined = {f: load_decoders(f) for f in [*options.get("decoder_files", ()), *among]}
        except BadInputError as error:
            raise BadInputError(f"--decoders: {error}") from None
        if not defined:
            return options
        named = itertools.chain(*(defined.get(part, (part,)) for part in given))
        return {**options, "decoders": tuple(named), "decoder_files": tuple(defined)}

    @field_validator("noise", "memories", mode="before")
    @classmethod
    def _read_none(cls, value: Any) -> Any:
        return () if value in ("none", ("none",)) else value

    @field_validator("precision", "noise", "decoders", "memories")
    @classmethod
    def _known_once(cls, value: tuple[Any, ...], info: Any) -> tuple[Any, ...]:
        from hebbsim.probes.identity import Condition, get_decoder, memory_names

        for part in value:
            if info.field_name == "precision":
                Condition(part)
            elif info.field_name == "noise":
                Condition(snr=part)
            elif info.field_name == "memories":
                if part not in (known := dict.fromkeys([*MEMORIES, *memory_names()])):
                    raise ValueError(f"unknown memory '{part}'; known: {', '.join(known)}")
            else:
                get_decoder(part)
            if value.count(part) > 1:
                raise ValueError(f"{part} is given twice")
        if not value and info.field_name not in ("noise", "memories"):
            raise ValueError("name at least one")
        return value

    @field_validator("probe", "map_decoder")
    @classmethod
    def _right_kind(cls, value: str, info: Any) -> str:
        from hebbsim.probes.identity import get_decoder

        trained = info.field_name == "probe"
        if get_decoder(value).trained != trained:
            kind = "learns from states" if trained else "needs no training"
            raise ValueError(f"'{value}' is not a decoder that {kind}")
        return value

    @property
    def conditions(self) -> list[Condition]:
        """Conditions of the state: each number format, then each noise level in float64."""
        from hebbsim.probes.identity import Condition

        rounded = [Condition(p, self.rounding) for p in self.precision]
        return rounded + [Condition(snr=snr) for snr in self.noise]

    def digests(self) -> dict[str, str]:
        """SHA-256 of the decoder files, by name."""
        from hebbsim.readers.lines import digest

        found: dict[str, str] = {}
        for file in self.decoder_files:
            name = Path(file).name
            found[name if name not in found else file] = digest(file, unpacked=False)
        return found

    def taus(self) -> NDArray[np.float64]:
        """Timescales as an array, shape=(S,)."""
        import numpy as np

        return np.array(self.timescales)
