"""How much information a trace state holds about past tokens: decoders, conditions, bits.

All modules of this folder are imported here, so that decoders and memories register themselves.
"""

from importlib import import_module
from pkgutil import iter_modules

from hebbsim.probes.identity.decoders import (
    Channel,
    Decoder,
    decoder_names,
    get_decoder,
    load_decoders,
)
from hebbsim.probes.identity.expansion import exact_past, pasts, smallest_distance
from hebbsim.probes.identity.information import (
    Reading,
    lag_bounds,
    ngram_information,
    read,
    successor_model,
    total_bound,
)
from hebbsim.probes.identity.memories import Memory, get_memory, memory_names
from hebbsim.probes.identity.states import PRECISIONS, Condition, States, make_codes, make_states
from hebbsim.probes.metrics import entropy

__all__ = [
    "PRECISIONS",
    "Channel",
    "Condition",
    "Decoder",
    "Memory",
    "Reading",
    "States",
    "decoder_names",
    "entropy",
    "exact_past",
    "get_decoder",
    "get_memory",
    "lag_bounds",
    "load_decoders",
    "make_codes",
    "make_states",
    "memory_names",
    "ngram_information",
    "pasts",
    "read",
    "smallest_distance",
    "successor_model",
    "total_bound",
]

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")
