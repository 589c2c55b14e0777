"""The elements of a SalesOrderAdd in the order of the schema, with their limits: one row each.

Source: reference/quickbooks-desktop.md, SalesOrderAdd. Custom fields of a line (DataExt) are not among them.
"""

from __future__ import annotations

from dataclasses import replace

from routebooks.connectors.quickbooks_desktop.elements import Element, Type


def _text(path: str, max_length: int | None) -> Element:
    return Element(path=path, max_length=max_length)


def _of(type_: Type, *paths: str) -> tuple[Element, ...]:
    return tuple(Element(path=path, type=type_) for path in paths)


def _ref(path: str, max_length: int | None, *, link: str | None = None, required: bool = False) -> tuple[Element, ...]:
    return (
        Element(path=f"{path}.ListID", max_length=36, link=link, required=required),
        Element(path=f"{path}.FullName", max_length=max_length),
    )


def _address(path: str) -> tuple[Element, ...]:
    lines = tuple(_text(f"{path}.Addr{line}", 41) for line in range(1, 6))
    parts = (("City", 31), ("State", 21), ("PostalCode", 13), ("Country", 31), ("Note", 41))
    return lines + tuple(_text(f"{path}.{part}", length) for part, length in parts)


def _on_line(*elements: Element) -> tuple[Element, ...]:
    """Elements that a header has too: their columns carry `Line.` before the name."""
    return tuple(replace(element, name=f"Line.{element.path}") for element in elements)


HEADER: tuple[Element, ...] = (
    *_ref("CustomerRef", 209, link="customers", required=True),
    *_ref("ClassRef", 159),
    *_ref("TemplateRef", 31),
    *_of(Type.DATE, "TxnDate"),
    _text("RefNumber", 11),
    *_address("BillAddress"),
    *_address("ShipAddress"),
    _text("PONumber", 25),
    *_ref("TermsRef", 31),
    *_of(Type.DATE, "DueDate"),
    *_ref("SalesRepRef", 5),
    _text("FOB", 13),
    *_of(Type.DATE, "ShipDate"),
    *_ref("ShipMethodRef", 15),
    *_ref("ItemSalesTaxRef", 31),
    *_of(Type.BOOLEAN, "IsManuallyClosed"),
    _text("Memo", 4095),
    *_ref("CustomerMsgRef", 101),
    *_of(Type.BOOLEAN, "IsToBePrinted", "IsToBeEmailed", "IsTaxIncluded"),
    *_ref("CustomerSalesTaxCodeRef", 3),
    _text("Other", 29),
    *_of(Type.FLOAT, "ExchangeRate"),
    *_of(Type.GUID, "ExternalGUID"),
)

_SITE = (*_ref("InventorySiteRef", 31), *_ref("InventorySiteLocationRef", 31))
_QUANTITY = (*_of(Type.QUANTITY, "Quantity"), _text("UnitOfMeasure", 31))

#: SalesOrderLineAdd.
LINE: tuple[Element, ...] = (
    *_ref("ItemRef", 159, link="items"),
    _text("Desc", 4095),
    *_QUANTITY,
    *_of(Type.PRICE, "Rate"),
    *_of(Type.PERCENT, "RatePercent"),
    *_ref("PriceLevelRef", 31),
    *_on_line(*_ref("ClassRef", 159)),
    *_of(Type.AMOUNT, "Amount", "TaxAmount"),
    Element(path="OptionForPriceRuleConflict", choices=("Zero", "BasePrice")),
    *_SITE,
    _text("SerialNumber", 4095),
    _text("LotNumber", 40),
    *_ref("SalesTaxCodeRef", 3),
    *_on_line(*_of(Type.BOOLEAN, "IsManuallyClosed")),
    _text("Other1", 29),
    _text("Other2", 29),
)

#: SalesOrderLineGroupAdd: what a line becomes whose item is a group.
GROUP: tuple[Element, ...] = (*_ref("ItemGroupRef", 31, link="items"), _text("Desc", None), *_QUANTITY, *_SITE)

#: What an order says in its own words, one value a line: the policies (order_lines.py) turn it into elements of the
#: line, or into a line more. No element of QuickBooks has these names, so an order that was not prepared is refused.
SETTLED: tuple[Element, ...] = (
    *_of(Type.QUANTITY, "Cases", "Bottles"),
    _text("Unit", 31),
    *_of(Type.PRICE, "CasePrice", "BottlePrice"),
    *_of(Type.AMOUNT, "Deposit"),
)
