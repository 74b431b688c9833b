"""PT04, PT05 and MR01: what others have found, of one household taken together."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from doudi.synth.households import Household
from doudi.synth.records import History, Version
from doudi.synth.registers import BENEFITS, Registers
from doudi.synth.standards import SEVERAL_RISKS
from doudi.synth.truth.found import Found

_RISKS = ("RP", "BL", "PT", "CG", "SG")
_TROUBLES = ("BL", "PT01", "PT02", "PT03")


def of_household(registers: Registers, household: Household, found: Sequence[Found]) -> Iterator[str]:
    """``found`` is what the other families have found of the household and its members."""
    codes = {one.code for one in found if one.code.startswith(_RISKS)}
    check = household.latest_check
    if (
        check
        and check["result"] == "refused"
        and any(one.code.startswith("BL") and one.fact_on > check["checked_on"] for one in found)
    ):
        codes.add("PT04")
        yield "PT04"
    if (
        not household.covered
        and any(code.startswith(_TROUBLES) for code in codes)
        and any(_left(registers, household, history) for feed in BENEFITS for history in registers.histories(feed))
    ):
        codes.add("PT05")
        yield "PT05"
    if len(codes) >= SEVERAL_RISKS:
        yield "MR01"


def _left(registers: Registers, household: Household, history: History) -> bool:
    """Whether a member's benefit, once received, ended within the twelve months, by its end date or its list."""
    known = registers.known(history)
    for place, version in enumerate(known):
        ends = [day for day in (version.row["end_date"], version.until) if day and day <= registers.today]
        only_changed = place + 1 < len(known) and known[place + 1].since == version.until
        if (
            ends
            and not only_changed
            and registers.within_year(min(ends))
            and version.row["citizen_id"] in household.members
            and any(_counted(earlier) for earlier in known[: place + 1])
        ):
            return True
    return False


def _counted(version: Version) -> bool:
    """Whether there was a day on which somebody received a benefit by this version."""
    last = [day for day in (version.row["end_date"], version.until and version.until - timedelta(days=1)) if day]
    return not last or max(version.row["start_date"], version.since) <= min(last)
