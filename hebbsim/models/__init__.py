"""Zero-label learners: tokens in, clusters out."""

from hebbsim.models.inducer import HebbianRoleInducer
from hebbsim.models.population import RolePopulation

__all__ = ["HebbianRoleInducer", "RolePopulation"]
