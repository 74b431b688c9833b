"""What other parameters or indicators would change, computed on the same data and beside the present.

Everything is computed again with the changed seeds in schemas of its own; who is found then is compared with who is
found now. docs/simulate.md says how each figure is defined.
"""

from doudi.simulate.changes import Changes, SimulationError
from doudi.simulate.comparing import Figure
from doudi.simulate.trial import Simulation, simulate

__all__ = ["Changes", "Figure", "Simulation", "SimulationError", "simulate"]
