"""Connectors: code that speaks to one kind of system each."""
