"""Zero-label learners: tokens in, clusters out."""

from hebbsim.models.inducer import HebbianRoleInducer
from hebbsim.models.population import RolePopulation
from hebbsim.models.role_network import RoleNetwork

__all__ = ["HebbianRoleInducer", "RoleNetwork", "RolePopulation"]
