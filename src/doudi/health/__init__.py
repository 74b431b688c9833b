"""The state of the warehouse as one page: deliveries, lateness, refusals, checks, builds, sizes and alerts."""

from doudi.health.page import build_health

__all__ = ["build_health"]
