"""Which past tokens a trace state still tells: decoders, conditions, bits."""

from hebbsim.probes.identity.decoders import Channel, Decoder, decoder_names, get_decoder
from hebbsim.probes.identity.information import (
    Reading,
    bigram_information,
    entropy,
    lag_bounds,
    read,
    total_bound,
)
from hebbsim.probes.identity.states import (
    CODES,
    PRECISIONS,
    Condition,
    States,
    make_codes,
    make_states,
)
from hebbsim.probes.identity.trained import Perceptron, Ridge, Softmax

__all__ = [
    "CODES",
    "PRECISIONS",
    "Channel",
    "Condition",
    "Decoder",
    "Perceptron",
    "Reading",
    "Ridge",
    "Softmax",
    "States",
    "bigram_information",
    "decoder_names",
    "entropy",
    "get_decoder",
    "lag_bounds",
    "make_codes",
    "make_states",
    "read",
    "total_bound",
]
