"""A spreadsheet program that fills in a workbook as a person does: LibreOffice, led by a macro in its own profile."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

Typed = tuple[str, str, str]  # sheet, cell, what is typed into it
FILTERS = {".xlsx": "Calc MS Excel 2007 XML", ".xls": "MS Excel 97"}

_LIBRARY = """\
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE library:library PUBLIC "-//OpenOffice.org//DTD OfficeDocument 1.0//EN" "library.dtd">
<library:library xmlns:library="http://openoffice.org/2000/library" library:name="Standard" library:readonly="false"
 library:passwordprotected="false">
 <library:element library:name="Visits"/>
</library:library>
"""
# What is typed into a locked cell is lost without a word, as the program has it for a macro.
_MODULE = """\
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE script:module PUBLIC "-//OpenOffice.org//DTD OfficeDocument 1.0//EN" "module.dtd">
<script:module xmlns:script="http://openoffice.org/2000/script" script:name="Visits" script:language="StarBasic">
Sub FillIn(source, target, form, typed)
    Dim hidden(0) As New com.sun.star.beans.PropertyValue
    hidden(0).Name = "Hidden"
    hidden(0).Value = True
    book = StarDesktop.loadComponentFromURL(source, "_blank", 0, hidden())
    lines = FreeFile
    Open typed For Input As #lines
    Do While Not EOF(lines)
        Line Input #lines, entry
        part = Split(entry, Chr(9))
        cell = book.Sheets.getByName(part(0)).getCellRangeByName(part(1))
        cell.FormulaLocal = part(2)
    Loop
    Close #lines
    Dim saved(0) As New com.sun.star.beans.PropertyValue
    saved(0).Name = "FilterName"
    saved(0).Value = form
    book.storeToURL(target, saved())
    book.close(True)
End Sub
</script:module>
"""


@dataclass(frozen=True)
class SpreadsheetProgram:
    """``profile`` is the folder of its settings, made by `started`."""

    command: str
    profile: Path

    @classmethod
    def started(cls, profile: Path) -> "SpreadsheetProgram | None":
        """None where it is not installed."""
        command = shutil.which("soffice")
        if command is None:
            return None
        program = cls(command, profile)
        program._run("--terminate_after_init")  # makes the profile, in which the macro would be written over
        macros = profile / "user" / "basic" / "Standard"
        (macros / "script.xlb").write_text(_LIBRARY, encoding="utf-8")
        (macros / "Visits.xba").write_text(_MODULE, encoding="utf-8")
        return program

    def fill_in(self, source: Path, target: Path, typed: list[Typed]) -> None:
        """Open ``source``, type into its cells, and save it as ``target``, whose name says in which form."""
        entries = target.with_suffix(".tsv")
        entries.write_text("".join("\t".join(entry) + "\n" for entry in typed), encoding="utf-8")
        arguments = (source.as_uri(), target.as_uri(), FILTERS[target.suffix], str(entries))
        self._run(f"macro:///Standard.Visits.FillIn({','.join(arguments)})")
        assert target.exists(), "the spreadsheet program saved nothing"

    def _run(self, argument: str) -> None:
        command = [self.command, "--headless", f"-env:UserInstallation={self.profile.as_uri()}", argument]
        subprocess.run(command, check=True, capture_output=True, timeout=180)
