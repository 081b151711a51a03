"""Supervised baselines to compare learners without labels with.

Majority and lookup need numpy only. The BiGRU needs torch, which is imported when a network is
first trained.
"""

from hebbsim.baselines.bigru import BiGRU, TorchMissingError, train_bigru
from hebbsim.baselines.cache import PredictionJob
from hebbsim.baselines.config import BiGRUConfig, config_for
from hebbsim.baselines.simple import LookupBaseline, MajorityBaseline

__all__ = [
    "BiGRU",
    "BiGRUConfig",
    "LookupBaseline",
    "MajorityBaseline",
    "PredictionJob",
    "TorchMissingError",
    "config_for",
    "train_bigru",
]
