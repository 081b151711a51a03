"""Configuration of `hebbsim run identity`."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator

from hebbsim.config import ExperimentConfig, Timescales
from hebbsim.errors import BadInputError
from hebbsim.probes.identity import PRECISIONS, Condition, get_decoder, load_decoders
from hebbsim.readers.lines import digest

#: Timescales of the capacity map, by the name that a row has there.
TIMESCALE_SETS = {
    "2": "2",
    "10": "10",
    "50": "50",
    "2,8,32": "2,8,32",
    "2,10,50": "2,10,50",
    "log8": ",".join(f"{tau:.3g}" for tau in np.geomspace(2, 64, 8)),
    "log16": ",".join(f"{tau:.3g}" for tau in np.geomspace(2, 64, 16)),
}

#: Memories that probes compare: those of `hebbsim.probes.identity.memories` and two GRUs.
MEMORIES = ("traces", "traces-learned", "window", "lmu", "fast-weights", "gru", "bigru")

_Count = Annotated[int, Field(ge=1)]


def _parts(value: Any) -> Any:
    """Parts of a text with commas; anything else as it is."""
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.split(",") if part.strip())


class IdentityConfig(ExperimentConfig):
    """What `run_identity` does; every field is an option of the command line.

    Attributes
    ----------
    timescales : tuple of float
        In tokens.
    dim : int
        D, dimensions of a random code; one-hot codes have one for each type.
    types : int
        V. Of a text, the commonest types; all others share one code.
    lags : int
        K: lags 0 to K - 1 are decoded.
    codes : {"random", "one-hot", "learned"}
        ``learned`` are those of words that a text's contexts teach, without labels.
    stream : str
        ``uniform``, ``zipf``, or any corpus that `hebbsim run roles` reads.
    precision : tuple of str
        Number formats of the state.
    rounding : {"step", "readout"}
        Round the state after every token, or the state that is read alone.
    noise : tuple of float
        Signal-to-noise ratios in decibels, each a condition of its own in float64.
    decoders : tuple of str
        Names, or Python files, which stand for the decoders that they define.
    decoder_files : tuple of str
        Those files; a run records them, so that it can be run again.
    seeds : int
        Repetitions: codes, streams and noise are drawn anew.
    states : int
        States that are decoded per seed, half to calibrate and half to score.
    training : int
        States that trained decoders learn from.
    map_seeds : int
        Repetitions of the capacity map, at most `seeds`; 0 leaves it out.
    map_decoder : str
        Decoder of the capacity map; it must need no training.
    structure : str
        Corpus whose structure is read from the same states: ``auto`` (that of the stream, or
        the built-in one for a drawn stream), ``none``, or a corpus.
    memories : tuple of str
        Memories of equal size that the same probes read, traces first.
    probe : str
        Trained decoder that reads structure, and content beside it.
    probe_training, probe_states : int
        Tokens that probes learn from, and tokens that they are scored on, half of which calibrate.
    limits : bool
        Measure what deeper processing adds, and the longest past of one trace.
    sentence : str or None
        Of `hebbsim.experiments.identity.sentence` alone: what to read back.
    workers : int
        Threads; no number depends on how many.
    offline : bool
        Never reach for the network.

    Examples
    --------
    >>> IdentityConfig.checked({"noise": "30,10"}).noise
    (30.0, 10.0)
    """

    timescales: Timescales = (2.0, 10.0, 50.0)
    dim: _Count = 64
    types: Annotated[int, Field(ge=2)] = 1000
    lags: _Count = 32
    codes: Literal["random", "one-hot", "learned"] = "random"
    stream: str = "uniform"
    precision: tuple[str, ...] = PRECISIONS
    rounding: Literal["step", "readout"] = "step"
    noise: tuple[float, ...] = (40.0, 20.0, 0.0)
    decoders: tuple[str, ...] = ("nearest", "linear", "ridge", "cancellation")
    decoder_files: tuple[str, ...] = ()
    seeds: _Count = 5
    states: Annotated[int, Field(ge=16)] = 320
    training: Annotated[int, Field(ge=16)] = 3200
    map_seeds: Annotated[int, Field(ge=0)] = 5
    map_decoder: str = "cancellation"
    structure: str = "auto"
    memories: tuple[str, ...] = MEMORIES
    probe: str = "discriminant"
    probe_training: Annotated[int, Field(ge=200)] = 6000
    probe_states: Annotated[int, Field(ge=200)] = 2400
    limits: bool = True
    sentence: str | None = None
    workers: Annotated[int, Field(ge=1)] = 2
    offline: bool = False

    @model_validator(mode="before")
    @classmethod
    def _load_files(cls, options: dict[str, Any]) -> dict[str, Any]:
        """Import decoders of files; a file among the names stands for those that it defines."""
        given = _parts(options.get("decoders", cls.model_fields["decoders"].default))
        among = [part for part in given if str(part).endswith(".py")]
        try:
            defined = {f: load_decoders(f) for f in [*options.get("decoder_files", ()), *among]}
        except BadInputError as error:
            raise BadInputError(f"--decoders: {error}") from None
        if not defined:
            return options
        named = itertools.chain(*(defined.get(part, (part,)) for part in given))
        return {**options, "decoders": tuple(named), "decoder_files": tuple(defined)}

    @field_validator("precision", "noise", "decoders", "memories", mode="before")
    @classmethod
    def _read_list(cls, value: Any) -> Any:
        parts = _parts(value)
        return () if isinstance(value, str) and parts == ("none",) else parts

    @field_validator("precision", "noise", "decoders", "memories")
    @classmethod
    def _known_once(cls, value: tuple[Any, ...], info: Any) -> tuple[Any, ...]:
        for part in value:
            if info.field_name == "precision":
                Condition(part)
            elif info.field_name == "noise":
                Condition(snr=part)
            elif info.field_name == "memories":
                if part not in MEMORIES:
                    raise ValueError(f"unknown memory '{part}'; known: {', '.join(MEMORIES)}")
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
        trained = info.field_name == "probe"
        if get_decoder(value).trained != trained:
            kind = "learns from states" if trained else "needs no training"
            raise ValueError(f"'{value}' is not a decoder that {kind}")
        return value

    @property
    def conditions(self) -> list[Condition]:
        """How the state is held: each number format, then each noise in float64."""
        held = [Condition(p, self.rounding) for p in self.precision]
        return held + [Condition(snr=snr) for snr in self.noise]

    def digests(self) -> dict[str, str]:
        """SHA-256 of the files that decoders are from, by their names."""
        found: dict[str, str] = {}
        for file in self.decoder_files:
            name = Path(file).name
            found[name if name not in found else file] = digest(file, unpacked=False)
        return found

    def taus(self) -> NDArray[np.float64]:
        """Timescales as an array, shape=(S,)."""
        return np.array(self.timescales)
