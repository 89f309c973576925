"""Faults of the storage behind the ports. They are outcomes that the runtime handles, not rejections that callers see.

StorageFault
├── OutcomeUnknown
├── NotApplied
└── DuplicateEntry
"""

from __future__ import annotations


class StorageFault(Exception):
    """Base of the three."""


class OutcomeUnknown(StorageFault):
    """A write was sent and the connection was lost before the answer: it may have happened, or may still."""


class NotApplied(StorageFault):
    """The database refused (shutting down, deadlock, disk full) or could not be asked. Nothing happened."""


class DuplicateEntry(StorageFault):
    """A unique key was hit. Nothing of the statement happened."""
