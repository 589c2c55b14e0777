"""The view transactions: the lines of invoices, credit memos and sales receipts that say what was sold.

Which lines: those of items, a group's components in place of the group, and discount and shipping lines. Left out are
subtotals, taxes, payments (money received, not sold), and descriptions without an amount. What a line is, its item
decides; how it looks does not.

Every row has the whole amount of its line in Extended, so that a transaction's rows add up to what it comes to before
tax. Discount and Deposit say it again where it is a discount taken off (positive) or a deposit.

Cases and Bottles are as sold: a line is in one of them, and the two add up to TotalBottles = Cases * UnitsPerCase +
Bottles (units.py tells which is which). Goods have them, charges and discounts do not.

Quantities and amounts of a credit memo have the other sign. A transaction goes whole or is set aside whole.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from routebooks.connectors.base import Connection, View
from routebooks.connectors.quickbooks_desktop import view_problems
from routebooks.connectors.quickbooks_desktop.arrow import (
    Column,
    Mask,
    all_of,
    any_of,
    is_filled,
    is_missing,
    is_not_zero,
    is_one_of,
    no,
    pick,
    places,
    rows_of,
    signed,
    without_blanks,
    zeros_for_missing,
)
from routebooks.connectors.quickbooks_desktop.fields import day, flag, integer, moment, money, number, ref, text
from routebooks.connectors.quickbooks_desktop.lined import KIND, NUMBER
from routebooks.connectors.quickbooks_desktop.order_settings import Policies, policies_of
from routebooks.connectors.quickbooks_desktop.transaction_fields import IS_VOID_INFERRED
from routebooks.connectors.quickbooks_desktop.view_quantities import quantities
from routebooks.errors import Problem
from routebooks.records import Field, Rejected, Stream
from routebooks.rows import Rows

#: The streams that are transactions; Kind and Sign of their rows.
_KINDS = {"invoices": ("IN", 1), "credit_memos": ("CM", -1), "sales_receipts": ("SR", 1)}

#: Kinds of item that are counted in cases and bottles, and those whose lines do not say what was sold.
GOODS = ("ItemInventory", "ItemInventoryAssembly", "ItemNonInventory")
_NOT_SOLD = ("ItemSubtotal", "ItemSalesTax", "ItemSalesTaxGroup", "ItemPayment")

#: What is taken from the streams as it is.
_HEADER: tuple[Field, ...] = (
    text("TxnID", 36),
    moment("TimeModified"),
    text("RefNumber", 36),
    day("TxnDate"),
    day("DueDate"),
    day("ShipDate"),
    text("PONumber", 25),
    *ref("CustomerRef", 209),
    *ref("SalesRepRef", 5),
    *ref("TermsRef", 31),
    text("Memo", 4095),
    flag("IsPending"),
    IS_VOID_INFERRED,
)
_LINE: tuple[Field, ...] = (
    NUMBER,
    KIND,
    text("Line.TxnLineID", 36),
    *ref("Line.ItemRef"),
    text("Line.Desc", 4095),
    number("Line.Quantity"),
    text("Line.UnitOfMeasure", 31),
)
#: What is read, too, and stands under another name in the view.
_READ: tuple[Field, ...] = (
    text("Line.OverrideUOMSetRef.ListID", 36),
    number("Line.Rate"),
    number("Line.RatePercent"),
    money("Line.Amount"),
)
_OWN: tuple[Field, ...] = (
    text("Kind"),  # IN, CM or SR
    integer("Sign"),
    text("Status"),  # A, or V where a void is inferred
    text("SalesRep", 5),
    text("CustomerKey", 99),  # the customer's AccountNumber
    text("ItemKey", 31),  # the item's Name
    text("ItemKind"),
    number("Cases"),
    number("Bottles"),
    integer("UnitsPerCase"),
    number("TotalBottles"),
    number("UnitPrice"),
    money("Discount"),
    money("Deposit"),
    money("Extended"),
)

TRANSACTIONS = View(
    Stream(
        name="transactions",
        fields=(*_HEADER, *_LINE, *_OWN),
        key="TxnID",
        # A RefNumber is not unique: two transactions may share one, and are two all the same.
        label="TxnID",
        modified="TimeModified",
        line=NUMBER.name,
    ),
    needs=(*_KINDS, "deleted_transactions", "items", "customers", "units_of_measure"),
    changes=(*_KINDS, "deleted_transactions"),
    deletions="deleted_transactions",
    deletions_label="RefNumber",
)


#: what is read of a stream of which not everything is
_SOME = {"customers": ["ListID", "AccountNumber"]}


def transactions(connection: Connection, sources: Mapping[str, Rows]) -> tuple[Rows, tuple[Rejected, ...]]:
    """The rows of all transactions that can go, and the others. Raises ConfigError for a setting that is wrong."""
    # As whole tables: they are what changed since yesterday.
    tables = {name: rows.table(_SOME.get(name)) for name, rows in sources.items()}
    policies = policies_of(connection.settings)
    lines = _with_names(
        pa.concat_tables([_lines(name, tables[name]) for name in _KINDS], promote_options="default"), tables
    )
    sold = _sold(lines)
    goods = all_of(sold, is_one_of(lines["ItemKind"], GOODS))
    lines = quantities(lines, goods, tables["items"], tables["units_of_measure"], policies)
    problems = _problems(lines, sold, goods)
    bad = is_one_of(lines["TxnID"], sorted({lines["TxnID"][row].as_py() or "" for row in problems}))
    rows = _with_amounts(lines.filter(all_of(sold, no(bad))), tables["items"], policies)
    custom = [name for name in rows.column_names if "Custom." in name]
    made = rows.select([*(field.name for field in TRANSACTIONS.stream.fields), *custom])
    return Rows.of_table(made), _rejected(lines, problems)


def _lines(stream: str, table: pa.Table) -> pa.Table:
    """The lines of one kind of transaction, with all fields that any kind has."""
    kind, sign = _KINDS[stream]
    columns: dict[str, Column] = {}
    for field in (*_HEADER, *_LINE, *_READ):
        there = field.name in table.column_names
        columns[field.name] = table[field.name] if there else pa.array([None] * table.num_rows, field.arrow)
    columns |= {name: table[name] for name in table.column_names if "Custom." in name}
    columns["Kind"] = pa.repeat(pa.scalar(kind), table.num_rows)
    columns["Sign"] = pa.repeat(pa.scalar(sign), table.num_rows)
    return pa.table(columns)


def _with_names(lines: pa.Table, tables: Mapping[str, pa.Table]) -> pa.Table:
    items, customers = tables["items"], tables["customers"]
    item = places(lines["Line.ItemRef.ListID"], items["ListID"])
    customer = places(lines["CustomerRef.ListID"], customers["ListID"])
    lines = lines.append_column("ItemKey", items["Name"].take(item))
    lines = lines.append_column("ItemKind", items["Kind"].take(item))
    lines = lines.append_column("CustomerKey", customers["AccountNumber"].take(customer))
    lines = lines.append_column("CustomerThere", is_filled(customer))
    lines = lines.append_column("SalesRep", lines["SalesRepRef.FullName"])
    # A transaction may go without a number, a file may not.
    number = pc.coalesce(without_blanks(lines["RefNumber"]), lines["TxnID"])
    lines = lines.set_column(lines.column_names.index("RefNumber"), "RefNumber", number)
    return lines.append_column("Status", pick(is_one_of(lines[IS_VOID_INFERRED.name], [True]), "V", "A"))


def _of_item(lines: pa.Table) -> Mask:
    return is_one_of(lines[KIND.name], ["item", "description", "subtotal", "component"])


def _no_item(lines: pa.Table) -> Mask:
    return is_missing(lines["Line.ItemRef.ListID"], lines["Line.ItemRef.FullName"])


def _sold(lines: pa.Table) -> Mask:
    """The lines that say what was sold, those that cannot go among them."""
    of_item = _of_item(lines)
    item = all_of(of_item, no(_no_item(lines)), no(is_one_of(lines["ItemKind"], _NOT_SOLD)))
    # Amounts are never left out in silence, and neither is a discount that does not say how much it is.
    strange = all_of(of_item, _no_item(lines), is_not_zero(lines["Line.Amount"]))
    told = any_of(is_filled(lines["Line.Amount"]), is_filled(lines["Line.RatePercent"]))
    return any_of(item, strange, all_of(is_one_of(lines[KIND.name], ["discount", "shipping"]), told))


def _problems(lines: pa.Table, sold: Mask, goods: Mask) -> dict[int, list[Problem]]:
    """What is wrong with lines, by their place."""
    of_item, no_item = _of_item(lines), _no_item(lines)
    customer = all_of(is_filled(lines["CustomerRef.ListID"]), no(lines["CustomerThere"]))
    uncounted = all_of(is_filled(lines["Line.Quantity"]), is_missing(lines["Cases"]))
    checks: tuple[tuple[Mask, Callable[[view_problems.Row], Problem]], ...] = (
        (customer, lambda row: view_problems.customer_unknown(view_problems.NAMES[row["Kind"]], row)),
        (all_of(of_item, no(no_item), is_missing(lines["ItemKind"])), view_problems.item_unknown),
        (all_of(of_item, no_item), view_problems.amount_without_item),
        (all_of(no(of_item), is_missing(lines["Line.Amount"])), view_problems.amount_unknown),
        (all_of(goods, uncounted), view_problems.unit_unknown),
    )
    found: dict[int, list[Problem]] = defaultdict(list)
    for wrong, problem in checks:
        places_of = rows_of(all_of(sold, wrong))
        for place, row in zip(places_of, lines.take(pa.array(places_of, pa.int64())).to_pylist(), strict=True):
            found[place].append(problem(row))
    return found


def _rejected(lines: pa.Table, problems: Mapping[int, list[Problem]]) -> tuple[Rejected, ...]:
    first: dict[str, int] = {}
    said: dict[str, list[Problem]] = defaultdict(list)
    for place in sorted(problems):
        key = lines["TxnID"][place].as_py() or ""
        first.setdefault(key, place)
        said[key] += problems[place]
    shown = lines.drop_columns(["CustomerThere"]).take(pa.array(first.values(), pa.int64())).to_pylist()
    return tuple(view_problems.set_aside(key, said[key], row) for key, row in zip(first, shown, strict=True))


def _with_amounts(rows: pa.Table, items: pa.Table, policies: Policies) -> pa.Table:
    minus = is_one_of(rows["Kind"], ["CM"])
    below = is_one_of(rows[KIND.name], ["discount"])
    # The discount below the lines is taken off, with whichever sign it is told.
    amount = pick(below, pc.negate(pc.abs(rows["Line.Amount"])), rows["Line.Amount"])
    extended = zeros_for_missing(signed(amount, minus))
    discount = any_of(below, is_one_of(rows["ItemKind"], ["ItemDiscount"]))
    deposit_items = any_of(*(is_one_of(items[name], [policies.deposit_item]) for name in ("ListID", "FullName")))
    deposit = is_one_of(rows["Line.ItemRef.ListID"], items.filter(deposit_items)["ListID"].to_pylist())
    return (
        rows.append_column("UnitPrice", rows["Line.Rate"])
        .append_column("Extended", extended)
        .append_column("Discount", pick(discount, signed(extended, discount), None))
        .append_column("Deposit", pick(deposit, extended, None))
    )
