"""``doudi synth``: a synthetic county in its departments' own messy form, and the truth about it."""

from doudi.synth.generate import Summary, generate

__all__ = ["Summary", "generate"]
