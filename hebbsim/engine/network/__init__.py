"""Networks of trace layers: the one that learns roles, and the parts to build others."""

from hebbsim.engine.network.network import Network
from hebbsim.engine.network.plasticity import Plasticity
from hebbsim.engine.network.token_layer import TokenLayer
from hebbsim.engine.network.word_layer import WordLayer

__all__ = ["Network", "Plasticity", "TokenLayer", "WordLayer"]
