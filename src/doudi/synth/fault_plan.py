"""Which rows of ordinary families are refused: a plan that spreads all faults over a run."""

from collections.abc import Mapping

from doudi.contracts import Contract
from doudi.synth import faults
from doudi.synth.fault_places import FaultPlaces
from doudi.synth.places import COUNTY
from doudi.synth.records import Record

_STRIDE = 31  # records; with four rows each, somewhat less than one row in a hundred is refused


class FaultPlan:
    """Damages every ``_STRIDE``-th record of each feed, going round all rules and columns of its contract.

    Only rows whose key (or, with several key columns, whose other keys and name) stays readable: the register then
    knows which record must keep standing. Records whose damaged row could only be recognised by its name are
    planted with names that nobody else has (cases and strays).
    """

    def __init__(self, *, contracts: Mapping[str, Contract], places: FaultPlaces) -> None:
        self._contracts = contracts
        self._places = places
        self._rules = {feed: self._usable(contract) for feed, contract in contracts.items()}
        self._waiting = dict.fromkeys(contracts, _STRIDE)
        self._turns = dict.fromkeys(contracts, 0)

    @staticmethod
    def _usable(contract: Contract) -> list[tuple[str, str]]:
        snapshot, only_key = contract.mode == "snapshot", {contract.key[0].name} if len(contract.key) == 1 else set()
        return [
            (rule, column)
            for rule, column in faults.rules_of(contract)
            if not snapshot or not (rule.startswith("line.") or column in only_key)
        ]

    def visit(self, records: list[Record]) -> None:
        """Count the records of one household and damage those whose turn it is."""
        waiting = self._waiting
        for record in records:
            feed = record.feed
            if record.county != COUNTY:
                continue  # its list is too short to spare a row
            waiting[feed] -= 1
            if waiting[feed] <= 0 and self._damage(record):
                waiting[feed] = _STRIDE

    def _damage(self, record: Record) -> bool:
        turn = self._turns[record.feed]
        self._turns[record.feed] += 1
        rules = self._rules[record.feed]
        rule, column = rules[turn % len(rules)]
        contract = self._contracts[record.feed]
        places = [index for index in self._places.of(record.feed) if record.states[index] is not None]
        if not places:
            return False
        index = places[turn % len(places)]
        round_no = turn // len(rules)
        if rule == faults.DUPLICATE:
            contradicts = round_no % 2 == 0
            record.beside.append(faults.duplicate(record, index, contract=contract, contradicts=contradicts))
            return True
        named = contract.column(column) if column else None
        fault = faults.make(rule, named, record.states[index], contract=contract, turn=round_no)
        if fault is None or not self._places.take(record.feed, index, fault):
            return False
        record.refused[index] = fault
        return True
