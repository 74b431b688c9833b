"""Maintenance: what is past its time goes, by retention.yml, and tables are kept in order.

Registers, marts, the ledger of deliveries and the record of disclosures are never removed from.
"""

from doudi.maintenance.maintaining import maintain, told
from doudi.maintenance.policy import Policy, RetentionError, load_policy
from doudi.maintenance.work import Outcome, files_in, older_than, remove, size_of

__all__ = [
    "Outcome",
    "Policy",
    "RetentionError",
    "files_in",
    "load_policy",
    "maintain",
    "older_than",
    "remove",
    "size_of",
    "told",
]
