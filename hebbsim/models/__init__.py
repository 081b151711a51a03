"""Zero-label learners: tokens in, clusters out."""

from hebbsim.models.population import RolePopulation
from hebbsim.models.role_network import RoleNetwork

__all__ = ["RoleNetwork", "RolePopulation"]
