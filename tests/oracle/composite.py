"""MR: several indicators at once."""

from oracle.catalogue import about, of_household
from oracle.households import Household
from oracle.world import World


@of_household
def mr01(world: World, household: Household) -> bool:
    codes = {finding.code for finding in about(world, household, "RP", "BL", "PT", "CG", "SG")}
    return len(codes) >= world.parameter("several_risks", household)
