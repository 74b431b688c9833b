"""What is checked beyond the contract: the suites of ``expectations/``, judged by Great Expectations."""

from doudi.quality.judging import Verdict, judge, prepare
from doudi.quality.suites import Suite, SuiteError, load_suite

__all__ = ["Suite", "SuiteError", "Verdict", "judge", "load_suite", "prepare"]
