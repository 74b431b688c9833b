"""Whose data were erased: kept by a keyed hash of the citizen ID, so that old deliveries do not bring them back."""

from doudi.erasures.leaving_out import clean_refused, leave_out
from doudi.erasures.record import Erasure, ErasureError, Known, known, recorded

__all__ = ["Erasure", "ErasureError", "Known", "clean_refused", "known", "leave_out", "recorded"]
