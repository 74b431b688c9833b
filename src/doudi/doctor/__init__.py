"""What is wrong with an installation, what that means, and what to run: looked at, never changed."""

from doudi.doctor.diagnosis import diagnose
from doudi.doctor.finding import Finding

__all__ = ["Finding", "diagnose"]
