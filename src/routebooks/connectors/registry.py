"""The connectors that there are: one line each."""

from __future__ import annotations

from collections.abc import Mapping

from routebooks.connectors.base import Connector

CONNECTORS: Mapping[str, Connector] = {}
