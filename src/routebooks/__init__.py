"""Routebooks: QuickBooks to PocketAdvantage and back, every night, each order exactly once."""

import os

__version__ = "0.1.0"

# Arrow's own allocator keeps for itself some 30 MB of what it gave free. It looks here once, when it is first imported.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
