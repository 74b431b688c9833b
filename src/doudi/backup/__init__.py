"""Backups that can be restored whole: the database, the archive and the ledger of one moment, and points in time."""

from doudi.backup.recovery import base_backup, recover
from doudi.backup.restoring import restore
from doudi.backup.sets import BackupError, BackupSet
from doudi.backup.taking import take

__all__ = ["BackupError", "BackupSet", "base_backup", "recover", "restore", "take"]
