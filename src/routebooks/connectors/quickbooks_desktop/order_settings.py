"""The settings by which orders become sales orders, and the policies that they come to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from routebooks.connectors.base import Check, Setting
from routebooks.connectors.quickbooks_desktop.order_elements import HEADER
from routebooks.errors import ConfigError

#: RefNumber of a sales order.
MAX_NUMBER = 11
#: A ListID: hexadecimal, a hyphen and seconds since 1970. Nothing is named so.
_LIST_ID = re.compile(r"[0-9A-F]{1,8}-[0-9]{9,10}")
#: A sum of money as a setting.
_MONEY = r"[0-9]{1,9}(\.[0-9]{1,5})?"
#: What tax and number are left to.
QUICKBOOKS = "quickbooks"
#: The settings that fill a reference of the order where the map leaves it blank.
REFERENCES: Mapping[str, str] = {
    "order_class": "ClassRef",
    "order_template": "TemplateRef",
    "order_ship_method": "ShipMethodRef",
    "order_message": "CustomerMsgRef",
    "order_tax": "ItemSalesTaxRef",
}

ORDER_SETTINGS: tuple[Setting, ...] = (
    Setting(
        name="order_price",
        help="Whose price stands in a sales order: the order's, or QuickBooks' own (then none is written).",
        default="order",
        choices=("order", QUICKBOOKS),
    ),
    Setting(
        name="price_tolerance",
        help="How far an order's price may be from the item's in QuickBooks before it is reported, in dollars.",
        default="0.00",
        pattern=_MONEY,
    ),
    Setting(
        name="order_units",
        help="How cases and bottles are written: one line in its unit, a line for each, or all in the base unit.",
        default="unit",
        choices=("unit", "two_lines", "base"),
    ),
    Setting(
        name="case_units",
        help="Words that mean a case, in orders and in QuickBooks' units of measure, with commas between them.",
        default="case, cases, cs",
        assumed=True,
    ),
    Setting(
        name="bottle_units",
        help="Words that mean a bottle, in orders and in QuickBooks' units of measure, with commas between them.",
        default="bottle, bottles, btl, bt",
        assumed=True,
    ),
    Setting(
        name="plain_unit",
        help="What QuickBooks counts and prices an item in that has no units of measure there. While it is unknown, "
        "an order that names a unit of such an item waits.",
        default="unknown",
        choices=("unknown", "case", "bottle"),
    ),
    Setting(
        name="units_per_case_field",
        help="The custom field of items with the number of bottles in a case, exactly as QuickBooks calls it. It is "
        "asked where the units of measure do not tell.",
        default="UnitsPerCase",
    ),
    Setting(
        name="deposit_item",
        help="The item (its full name, or ListID) that carries the deposits of an order as lines of their own. "
        "Empty: deposits are left out.",
        default="",
    ),
    Setting(
        name="order_tax",
        help="The sales tax item of every order. quickbooks: QuickBooks takes the customer's.",
        default=QUICKBOOKS,
    ),
    Setting(name="order_class", help="The class of an order whose map fills none. Empty: none.", default=""),
    Setting(name="order_template", help="The form (template) of an order whose map fills none.", default=""),
    Setting(name="order_ship_method", help="The ship method of an order whose map fills none.", default=""),
    Setting(name="order_message", help="The customer message of an order whose map fills none.", default=""),
    Setting(
        name="order_number",
        help="The number of a sales order: QuickBooks' own, the order's, or the order's with a prefix; it has at most "
        f"{MAX_NUMBER} characters.",
        default=QUICKBOOKS,
        choices=(QUICKBOOKS, "order", "prefix"),
    ),
    Setting(name="order_number_prefix", help="What stands before the order's number.", default=""),
    Setting(
        name="over_limit",
        help="An order that takes a customer over the credit limit: post it, hold it, or post it with a note.",
        default="note",
        choices=("post", "hold", "note"),
    ),
    Setting(
        name="credit_hold",
        help="An order of a customer who is inactive or marked as on hold: post it, hold it, or post it with a note.",
        default="hold",
        choices=("post", "hold", "note"),
    ),
    Setting(
        name="credit_hold_field",
        help="The custom field of customers that marks one as on hold, exactly as QuickBooks calls it. Empty: none.",
        default="",
    ),
    Setting(
        name="credit_hold_value",
        help="The value of that field that means on hold. Empty: any value does.",
        default="Yes",
    ),
)


@dataclass(frozen=True, kw_only=True)
class Policies:
    """What was decided about orders, as the settings say."""

    price: str
    tolerance: Decimal
    units: str
    case_words: frozenset[str]
    bottle_words: frozenset[str]
    plain_unit: str
    units_per_case_field: str
    deposit_item: str
    references: Mapping[str, str]
    number: str
    number_prefix: str
    over_limit: str
    credit_hold: str
    hold_field: str
    hold_value: str


def policies_of(settings: Mapping[str, Any]) -> Policies:
    """The policies of a connection; a setting that is not there has its default. Raises ConfigError."""
    texts = {setting.name: _text(setting, settings) for setting in ORDER_SETTINGS}
    references = {
        path: _fitting(name, path, texts[name])
        for name, path in REFERENCES.items()
        if texts[name] and (name, texts[name]) != ("order_tax", QUICKBOOKS)
    }
    cases, bottles = _words(texts["case_units"]), _words(texts["bottle_units"])
    if both := cases & bottles:
        raise _wrong("bottle_units", f"{', '.join(sorted(both))} cannot mean a case and a bottle", "Keep it in one.")
    prefix = texts["order_number_prefix"]
    if len(prefix) >= MAX_NUMBER:
        rule = f"a sales order's number has {MAX_NUMBER} characters, and {prefix!r} leaves none for the order's"
        raise _wrong("order_number_prefix", rule, "Take a shorter one.")
    return Policies(
        price=texts["order_price"],
        tolerance=_tolerance(texts["price_tolerance"]),
        units=texts["order_units"],
        case_words=cases,
        bottle_words=bottles,
        plain_unit=texts["plain_unit"],
        units_per_case_field=texts["units_per_case_field"],
        deposit_item=texts["deposit_item"],
        references=references,
        number=texts["order_number"],
        number_prefix=prefix,
        over_limit=texts["over_limit"],
        credit_hold=texts["credit_hold"],
        hold_field=texts["credit_hold_field"],
        hold_value=texts["credit_hold_value"],
    )


def check_orders(settings: Mapping[str, Any]) -> Check:
    """Whether the settings for orders make sense, and what they come to."""
    try:
        policies = policies_of(settings)
    except ConfigError as error:
        return Check("Orders", False, error.problem.message, error.problem.hint)
    prices = "at the order's price" if policies.price == "order" else "at QuickBooks' price"
    return Check("Orders", True, f"{prices}; over limit: {policies.over_limit}; on hold: {policies.credit_hold}")


def reference(path: str, name: str) -> dict[str, str]:
    """The column that refers to a record by what a setting says: its ListID, or its name."""
    return {f"{path}.{'ListID' if _LIST_ID.fullmatch(name) else 'FullName'}": name}


def folded(word: str) -> str:
    """A word as it is compared: without blanks around it, and small."""
    return word.strip().casefold()


def _text(setting: Setting, settings: Mapping[str, Any]) -> str:
    value = settings.get(setting.name)
    text = str(setting.default if value is None else value).strip()
    if setting.choices and text not in setting.choices:
        raise _wrong(setting.name, f"{text!r} is none of its values", f"Choose one of: {', '.join(setting.choices)}.")
    return text


def _words(text: str) -> frozenset[str]:
    return frozenset(folded(word) for word in text.split(",") if word.strip())


def _tolerance(text: str) -> Decimal:
    if not re.fullmatch(_MONEY, text):
        raise _wrong("price_tolerance", f"{text!r} is no sum of money", "Write it as 0.05.")
    return Decimal(text)


def _fitting(name: str, path: str, text: str) -> str:
    longest = next(element.max_length for element in HEADER if element.path == f"{path}.FullName")
    if longest is not None and len(text) > longest and not _LIST_ID.fullmatch(text):
        raise _wrong(name, f"it has {len(text)} characters, and QuickBooks takes {longest}", "Write the name as it is.")
    return text


def _wrong(name: str, rule: str, hint: str) -> ConfigError:
    return ConfigError(f"The setting {name} cannot be used: {rule}.", hint=hint, code="qb-order-setting")
