"""Routebooks: QuickBooks to PocketAdvantage and back, every night, each order exactly once."""

__version__ = "0.1.0"
