"""What the tests of this connector share: Intuit's schema as a judge of requests, and a connection."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from lxml import etree

from routebooks.connectors.base import Company, Connection
from support import shared


@pytest.fixture(scope="session")
def schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(shared("wire", "qbxml-13.0", "qbxmlops130.xsd")))


@pytest.fixture(scope="session")
def validated(schema: etree.XMLSchema) -> Callable[[bytes], etree._Element]:
    """Gives a request as a tree after the schema has accepted it."""

    def validate(request: bytes) -> etree._Element:
        root = etree.fromstring(request)
        assert schema.validate(root), schema.error_log
        return root

    return validate


@pytest.fixture
def connection() -> Connection:
    settings = {"company_file": "", "page_size": 250, "order_key_field": "Other", "qbxml_version": "13.0"}
    return Connection(1, "QuickBooks", "quickbooks_desktop", Company(1, "Example Wine", "100"), settings)
