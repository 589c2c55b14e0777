"""The settings for orders, and which QuickBooks has sales orders."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from routebooks.connectors.quickbooks_desktop.connector import QuickBooksDesktop
from routebooks.connectors.quickbooks_desktop.editions import can_write
from routebooks.connectors.quickbooks_desktop.order_settings import ORDER_SETTINGS, check_orders, policies_of
from routebooks.connectors.quickbooks_desktop.sales_orders import TARGETS
from routebooks.errors import ConfigError


def test_the_defaults_are_the_safe_ones() -> None:
    policies = policies_of({})
    assert (policies.price, policies.tolerance, policies.units) == ("order", Decimal(0), "unit")
    assert (policies.number, policies.over_limit, policies.credit_hold) == ("quickbooks", "note", "hold")
    assert (policies.plain_unit, policies.deposit_item, dict(policies.references)) == ("unknown", "", {})
    assert {"case", "cs"} <= policies.case_words
    assert policies_of({setting.name: setting.default for setting in ORDER_SETTINGS}) == policies
    assert check_orders({}).ok


def test_a_setting_that_is_empty_is_empty_not_its_default() -> None:
    policies = policies_of({"case_units": "", "order_tax": "", "units_per_case_field": " "})
    assert (policies.case_words, dict(policies.references), policies.units_per_case_field) == (frozenset(), {}, "")


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"order_price": "mine"}, "order_price"),
        ({"order_units": "cases"}, "order_units"),
        ({"over_limit": ""}, "over_limit"),
        ({"price_tolerance": "5 cents"}, "price_tolerance"),
        ({"price_tolerance": "-1"}, "price_tolerance"),
        ({"bottle_units": "btl, CS"}, "bottle_units"),
        ({"order_number_prefix": "x" * 11}, "order_number_prefix"),
        ({"order_ship_method": "x" * 16}, "order_ship_method"),
        ({"order_tax": "x" * 32}, "order_tax"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_with_its_cure(settings: dict[str, Any], name: str) -> None:
    check = check_orders(settings)
    assert (check.ok, name in check.message) == (False, True)
    assert check.hint
    with pytest.raises(ConfigError, match=name):
        policies_of(settings)


@pytest.mark.parametrize(
    ("product", "ok"),
    [
        ("QuickBooks Enterprise Solutions 24.0, qbXML 13.0", True),
        ("QuickBooks Premier Edition 2014 24.0, qbXML 13.0", True),
        ("QuickBooks Premier: Accountant Edition 2023", True),
        ("QuickBooks Pro 2014 24.0, qbXML 13.0", False),
        ("QuickBooks Desktop Pro Plus 2024", False),
        ("QuickBooks Simple Start 2010", False),
        ("QuickBooks Professional Services 2024", True),
        ("", True),
    ],
)
def test_pro_is_told_before_the_first_order(product: str, ok: bool) -> None:
    check = can_write(product)
    assert check.ok is ok
    assert product in check.message
    assert bool(check.hint) is not ok
    assert QuickBooksDesktop().can_write(product) == check


def test_the_page_names_every_field_and_every_setting() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "connect-quickbooks-desktop.md").read_text(encoding="utf-8")
    section = page.partition("## A sales order, field by field")[2].partition("\n## ")[0]
    fields = {column.name.removeprefix("Line.").partition(".")[0] for column in TARGETS["sales_orders"].columns} - {
        "Key"
    }
    names = fields | {setting.name for setting in ORDER_SETTINGS} | {"order_key_field"}
    words = set(re.findall(r"\w+", section))
    assert names - words == set()
