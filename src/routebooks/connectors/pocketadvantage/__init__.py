"""Inventiv PocketAdvantage: the .FIL files it reads and the orders database it writes."""
