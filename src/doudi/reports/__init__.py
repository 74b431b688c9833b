"""Reports for people: the situation of an area as one page, the plan's periodic report as PDF and Word."""

from doudi.reports.errors import ReportError

__all__ = ["ReportError"]
