"""Forms: a delivery comes as text, workbook, JSON or an archive of these, and leaves as parts of records."""

from doudi.forms.archives import work_folder
from doudi.forms.headings import unknown_headings
from doudi.forms.opening import open_parts
from doudi.forms.parts import Part, Record, TextForm

__all__ = ["Part", "Record", "TextForm", "open_parts", "unknown_headings", "work_folder"]
