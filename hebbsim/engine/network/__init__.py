"""Networks of trace layers: what learns roles, and what anyone builds from its parts."""

from hebbsim.engine.network.network import Network
from hebbsim.engine.network.plasticity import Plasticity
from hebbsim.engine.network.token_layer import TokenLayer
from hebbsim.engine.network.word_layer import WordLayer

__all__ = ["Network", "Plasticity", "TokenLayer", "WordLayer"]
