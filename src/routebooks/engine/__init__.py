"""The engine: the life of a run, the exchange, the ledger. It knows connectors by their protocol only."""
