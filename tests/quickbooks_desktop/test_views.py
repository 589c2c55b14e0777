"""The views by small cases worked out by hand, and by sums that must stay."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routebooks.connectors.base import Company, Connection
from routebooks.connectors.quickbooks_desktop.connector import QuickBooksDesktop
from routebooks.connectors.quickbooks_desktop.streams import STREAMS
from routebooks.records import Rejected
from routebooks.rows import Rows

BOOKS = QuickBooksDesktop()
TODAY = date(2026, 3, 10)


def connection(**changed: str) -> Connection:
    declared = {setting.name: setting.default for setting in BOOKS.settings}
    return Connection(1, "books", BOOKS.name, Company(1, "Harbor", "4711"), {**declared, **changed})


def table(stream: str, *rows: dict[str, Any], custom: tuple[str, ...] = ()) -> pa.Table:
    fields = [(field.name, field.arrow) for field in STREAMS[stream].fields]
    return pa.Table.from_pylist(list(rows), schema=pa.schema([*fields, *((name, pa.string()) for name in custom)]))


def viewed(name: str, tables: dict[str, pa.Table], **changed: str) -> tuple[pa.Table, tuple[Rejected, ...]]:
    sources = {stream: Rows.of_table(each) for stream, each in tables.items()}
    made, aside = BOOKS.view(connection(**changed), name, sources, TODAY)
    return made.table(), aside


def open_invoice(customer: str, due: date | None, balance: str) -> dict[str, Any]:
    return {
        "TxnID": f"I-{customer}",
        "CustomerRef.ListID": customer,
        "DueDate": due,
        "BalanceRemaining": Decimal(balance),
    }


def test_past_due_is_what_was_due_before_today() -> None:
    customers = table("customers", *({"ListID": name, "FullName": name} for name in "abc"))
    invoices = table(
        "open_invoices",
        open_invoice("a", date(2026, 3, 9), "10.00"),
        open_invoice("a", date(2026, 1, 1), "0.05"),
        open_invoice("a", TODAY, "99.00"),
        open_invoice("b", date(2026, 3, 11), "7.00"),
        open_invoice("b", None, "3.00"),
        open_invoice("gone", date(2026, 1, 1), "8.00"),
        open_invoice("c", date(2026, 1, 1), "6.00") | {"IsPending": True},
    )
    made, aside = viewed("customers_with_past_due", {"customers": customers, "open_invoices": invoices})
    assert made["PastDue"].to_pylist() == [Decimal("10.05"), Decimal("0.00"), Decimal("0.00")]
    names = [field.name for field in BOOKS.views()["customers_with_past_due"].stream.fields]
    assert made.column_names == names
    assert [(one.key, one.problem.code) for one in aside] == [("I-gone", "customer-unknown")]


def test_custom_fields_stay_behind_the_past_due() -> None:
    customers = table("customers", {"ListID": "a", "Custom.Team": "East"}, custom=("Custom.Team",))
    made, _ = viewed("customers_with_past_due", {"customers": customers, "open_invoices": table("open_invoices")})
    assert made.column_names[-2:] == ["PastDue", "Custom.Team"]


ITEMS = (
    {"ListID": "wine", "Kind": "ItemInventory", "Name": "W1", "FullName": "W1", "Custom.UnitsPerCase": "12"},
    {
        "ListID": "beer",
        "Kind": "ItemInventory",
        "Name": "B1",
        "FullName": "B1",
        "UnitOfMeasureSetRef.ListID": "u",
        "Custom.UnitsPerCase": "24",
    },
    {"ListID": "deposit", "Kind": "ItemOtherCharge", "Name": "Deposit", "FullName": "Deposit"},
    {"ListID": "tax", "Kind": "ItemSalesTax", "Name": "Tax", "FullName": "Tax"},
    {"ListID": "paid", "Kind": "ItemPayment", "Name": "Paid", "FullName": "Paid"},
    {"ListID": "sum", "Kind": "ItemSubtotal", "Name": "Sum", "FullName": "Sum"},
    {"ListID": "off", "Kind": "ItemDiscount", "Name": "Off", "FullName": "Off"},
)


def line(number: int, kind: str = "item", item: str | None = "wine", **more: Any) -> dict[str, Any]:
    values = {"LineNumber": number, "LineKind": kind, "Line.ItemRef.ListID": item}
    return {**values, **{f"Line.{name}": value for name, value in more.items()}}


def sale(txn_id: str, *lines: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    head = {
        "TxnID": txn_id,
        "RefNumber": f"R{txn_id}",
        "CustomerRef.ListID": "a",
        "TxnDate": TODAY,
        "TimeModified": datetime(2026, 3, 10, tzinfo=UTC),
        "IsVoidInferred": False,
        "SalesRepRef.FullName": "EA",
        **more,
    }
    return [{**head, **each} for each in lines]


def units() -> pa.Table:
    head = {"ListID": "u", "Name": "Beer", "BaseUnit.Name": "can"}
    rows = [
        {
            **head,
            "LineNumber": at,
            "Line.Name": name,
            "Line.Abbreviation": short,
            "Line.ConversionRatio": Decimal(ratio),
        }
        for at, (name, short, ratio) in enumerate((("can", "cn", "1"), ("tray", "tr", "24"), ("six", "6p", "6")), 1)
    ]
    return table("units_of_measure", *rows)


def view(
    invoices: list[dict[str, Any]], memos: list[dict[str, Any]] | None = None, **changed: str
) -> tuple[list[dict[str, Any]], tuple[Rejected, ...]]:
    tables = {
        "invoices": table("invoices", *invoices),
        "credit_memos": table("credit_memos", *(memos or [])),
        "sales_receipts": table("sales_receipts"),
        "deleted_transactions": table("deleted_transactions"),
        "items": table("items", *ITEMS, custom=("Custom.UnitsPerCase",)),
        "customers": table("customers", {"ListID": "a", "AccountNumber": "100"}),
        "units_of_measure": units(),
    }
    made, aside = viewed("transactions", tables, **changed)
    assert made.column_names == [field.name for field in BOOKS.views()["transactions"].stream.fields]
    return made.to_pylist(), aside


def amounts(**more: Any) -> dict[str, Any]:
    return {"Quantity": Decimal(1), "UnitOfMeasure": "case", "Amount": Decimal("5.00"), **more}


@pytest.mark.parametrize(
    ("item", "unit", "quantity", "cases", "bottles"),
    [
        ("wine", "case", "3", "3", "0"),
        ("wine", "Bottles", "5", "0", "5"),
        ("beer", "can", "5", "0", "5"),
        ("beer", "tray", "2", "2", "0"),
        ("beer", "6P", "2", "0", "12"),
        ("wine", None, "4", "0", "4"),
    ],
)
def test_cases_and_bottles(item: str, unit: str | None, quantity: str, cases: str, bottles: str) -> None:
    sold = line(1, item=item, Quantity=Decimal(quantity), UnitOfMeasure=unit, Amount=Decimal("1.00"))
    (row,), aside = view(sale("1", sold), plain_unit="bottle", bottle_units="bottle, bottles, can")
    assert (row["Cases"], row["Bottles"]) == (Decimal(cases), Decimal(bottles))
    assert aside == ()


@pytest.mark.parametrize(("unit", "cure"), [("keg", "case_units"), (None, "plain_unit")])
def test_an_unknown_unit_keeps_the_whole_transaction_back_with_its_cure(unit: str | None, cure: str) -> None:
    good = line(1, Quantity=Decimal(1), UnitOfMeasure="case", Amount=Decimal("1.00"))
    bad = line(2, Quantity=Decimal(1), UnitOfMeasure=unit, Amount=Decimal("1.00"))
    rows, (rejected,) = view([*sale("1", good, bad), *sale("2", good)])
    assert [row["TxnID"] for row in rows] == ["2"]
    assert (rejected.key, rejected.problem.code) == ("1", "unit-unknown")
    assert cure in rejected.problem.hint


def test_which_lines_go_out_and_what_they_say() -> None:
    lines = (
        line(1, Quantity=Decimal(2), UnitOfMeasure="case", Rate=Decimal("10.5"), Amount=Decimal("21.00")),
        line(2, "description", None, Desc="Thank you"),
        line(3, "subtotal", "sum", Amount=Decimal("21.00")),
        line(4, "group", "wine", TotalAmount=Decimal("5.00")),
        line(5, "component", "wine", Quantity=Decimal(1), UnitOfMeasure="bottle", Amount=Decimal("5.00")),
        line(6, "item", "off", Amount=Decimal("-2.00")),
        line(7, "item", "deposit", Quantity=Decimal(2), Amount=Decimal("0.20")),
        line(8, "tax", None, Amount=Decimal("1.00")),
        line(9, "shipping", None, Amount=Decimal("4.00")),
        line(10, "subtotal", "wine", Amount=Decimal("3.00")),
        line(11, "item", "tax", Rate=Decimal(7), Amount=Decimal("2.00")),
        line(12, "item", "paid", Rate=Decimal(-9), Amount=Decimal("-9.00")),
        line(13, "component", None, Desc="note"),
    )
    rows, aside = view(sale("1", *lines, PONumber="PO-1"), deposit_item="Deposit")
    assert aside == ()
    assert [row["LineNumber"] for row in rows] == [1, 5, 6, 7, 9, 10]
    assert [row["ItemKey"] for row in rows] == ["W1", "W1", "Off", "Deposit", None, "W1"]
    assert sum(row["Extended"] for row in rows) == Decimal("31.20")
    assert (rows[2]["Discount"], rows[3]["Deposit"]) == (Decimal("2.00"), Decimal("0.20"))
    assert {(row["Kind"], row["CustomerKey"], row["PONumber"], row["SalesRep"], row["Status"]) for row in rows} == {
        ("IN", "100", "PO-1", "EA", "A")
    }


@pytest.mark.parametrize("amount", ["-2.00", "2.00"])
def test_a_discount_below_the_lines_is_taken_off_with_either_sign(amount: str) -> None:
    lines = (line(1, **amounts()), line(2, "discount", None, Amount=Decimal(amount)))
    rows, _ = view(sale("1", *lines), sale("2", *lines))
    told = [(row["Kind"], row["Extended"], row["Discount"]) for row in rows if row["LineNumber"] == 2]
    assert told == [("IN", Decimal("-2.00"), Decimal("2.00")), ("CM", Decimal("2.00"), Decimal("-2.00"))]


def test_a_credit_memo_has_its_sign_and_a_void_its_status() -> None:
    sold = line(1, Quantity=Decimal(2), UnitOfMeasure="case", Amount=Decimal("21.00"))
    memo = [{name: value for name, value in row.items() if name != "IsVoidInferred"} for row in sale("9", sold)]
    rows, _ = view(sale("1", sold, IsVoidInferred=True), [{**memo[0], "IsVoidInferred": False}])
    assert [(row["Kind"], row["Status"], row["Cases"], row["Extended"]) for row in rows] == [
        ("IN", "V", Decimal(2), Decimal("21.00")),
        ("CM", "A", Decimal(-2), Decimal("-21.00")),
    ]


MONEY = st.decimals(-1000, 1000, places=2)
LINES = st.lists(st.tuples(st.sampled_from(["item", "component", "subtotal", "tax"]), MONEY), min_size=1, max_size=6)


@settings(deadline=None, max_examples=40)
@given(st.lists(LINES, max_size=6))
def test_nothing_is_lost_and_nothing_doubled(sales: list[list[tuple[str, Decimal]]]) -> None:
    rows = [
        each
        for number, lines in enumerate(sales)
        for each in sale(
            str(number),
            *(
                line(at, kind, Quantity=Decimal(1), UnitOfMeasure="case", Amount=amount)
                for at, (kind, amount) in enumerate(lines, 1)
            ),
        )
    ]
    made, aside = view(rows)
    wanted = [row for row in rows if row["LineKind"] != "tax"]
    assert aside == ()
    assert Counter((row["TxnID"], row["LineNumber"]) for row in made) == Counter(
        (row["TxnID"], row["LineNumber"]) for row in wanted
    )
    assert sum(row["Extended"] for row in made) == sum(row["Line.Amount"] for row in wanted)


def test_codes_are_complete_and_stand_once() -> None:
    customers = table(
        "customers",
        {"ListID": "a", "CustomerTypeRef.FullName": "On", "Custom.Team": "East", "Custom.Chain": "Larkspur"},
        {"ListID": "b", "TermsRef.FullName": "COD", "SalesRepRef.FullName": "ZZ", "ParentRef.FullName": "Larkspur"},
        {"ListID": "c", "Custom.Chain": " ", "ParentRef.FullName": "Meadow"},
        custom=("Custom.Team", "Custom.Chain"),
    )
    tables = {
        "customers": customers,
        "items": table("items", {"ListID": "i", "PrefVendorRef.FullName": "Stonefield"}),
        "sales_reps": table("sales_reps", {"ListID": "r", "Initial": "EA", "SalesRepEntityRef.FullName": "East rep"}),
        "terms": table("terms", {"ListID": "t", "Name": "COD"}, {"ListID": "u", "Name": "Net 30"}),
        "vendors": table("vendors", {"Name": "Stonefield", "CompanyName": "Stonefield Vintners"}, {"Name": "Landlord"}),
        "customer_types": table("customer_types", {"ListID": "c", "FullName": "On", "Name": "On"}),
    }
    made, _ = viewed("codes", tables, detail_supplier="50")
    assert [(row["DetailKind"], row["Code"], row["Description"]) for row in made.to_pylist()] == [
        ("10", "4711", "Harbor"),
        ("11", "East", None),
        ("12", "EA", "East rep"),
        ("12", "ZZ", None),
        ("31", "On", None),
        ("32", "Larkspur", None),
        ("32", "Meadow", None),
        ("40", "N", "Inactive"),
        ("40", "Y", "Active"),
        ("41", "COD", None),
        ("41", "Net 30", None),
        ("50", "Stonefield", "Stonefield Vintners"),
    ]
    plain, _ = viewed("codes", tables)
    assert "50" not in plain["DetailKind"].to_pylist()


@pytest.mark.parametrize(
    ("bad", "head", "code"),
    [
        (line(2, "description", None, Amount=Decimal("5.00")), {}, "line-without-item"),
        (line(2, "component", None, Amount=Decimal("-5.00")), {}, "line-without-item"),
        (line(2, "item", "new", **amounts()), {}, "item-unknown"),
        (line(2, "subtotal", "new", Amount=Decimal("5.00")), {}, "item-unknown"),
        (line(2, "discount", None, RatePercent=Decimal("10.5")), {}, "amount-unknown"),
        (line(2, **amounts()), {"CustomerRef.ListID": "gone"}, "customer-unknown"),
        (line(2, item="beer", **amounts(UnitOfMeasure="keg")), {}, "unit-unknown"),
    ],
)
def test_no_amount_is_lost_in_silence(bad: dict[str, Any], head: dict[str, Any], code: str) -> None:
    rows, (rejected,) = view([*sale("1", line(1, **amounts()), bad, **head), *sale("2", line(1, **amounts()))])
    assert [row["TxnID"] for row in rows] == ["2"]
    assert (rejected.key, rejected.problem.code) == ("1", code)
    assert rejected.problem.message
    assert rejected.problem.hint
    assert rejected.record["TxnDate"] == "2026-03-10"


def test_all_that_is_wrong_with_a_transaction_is_told_at_once() -> None:
    bad = (line(1, "item", "new", **amounts()), line(2, **amounts(UnitOfMeasure="keg")))
    rows, (rejected,) = view(sale("1", *bad))
    assert rows == []
    assert "Line 1" in rejected.problem.message
    assert "Line 2" in rejected.problem.message


def test_a_sale_without_customer_or_number_goes() -> None:
    rows, aside = view(sale("1", line(1, **amounts()), **{"CustomerRef.ListID": None, "RefNumber": None}))
    assert aside == ()
    assert [(row["CustomerKey"], row["RefNumber"]) for row in rows] == [(None, "1")]


def test_a_number_of_blanks_is_none() -> None:
    (row,), _ = view(sale("1", line(1, **amounts()), RefNumber=" \t"))
    assert row["RefNumber"] == "1"


def test_two_transactions_of_one_number_are_two() -> None:
    bad = line(1, **amounts(UnitOfMeasure="keg"))
    both = [*sale("1", bad, RefNumber="7"), *sale("2", line(1, **amounts()), RefNumber="7")]
    rows, (rejected,) = view(both)
    assert ([row["TxnID"] for row in rows], rejected.key) == (["2"], "1")
    stream = BOOKS.views()["transactions"].stream
    assert stream.label == stream.key == "TxnID"


UNITS = st.sampled_from([("case", 1, 0), ("bottle", 0, 1), ("tray", 1, 0), ("six", 0, 6), ("can", 0, 1)])
SOLD = st.lists(st.tuples(UNITS, st.decimals(-99, 99, places=2)), min_size=1, max_size=5)


@settings(deadline=None, max_examples=40)
@given(st.lists(SOLD, max_size=4), st.lists(SOLD, max_size=4))
def test_cases_and_bottles_add_up_over_any_sales(ins: list[Any], memos: list[Any]) -> None:
    def all_of(sales: list[Any], mark: str) -> list[dict[str, Any]]:
        return [
            row
            for number, sold in enumerate(sales)
            for row in sale(
                f"{mark}{number}",
                *(
                    line(at, item="beer", Quantity=quantity, UnitOfMeasure=unit[0], Amount=quantity)
                    for at, (unit, quantity) in enumerate(sold, 1)
                ),
            )
        ]

    made, aside = view(all_of(ins, "I"), all_of(memos, "M"), bottle_units="bottle, can")
    assert aside == ()
    signed = [(1, each) for sold in ins for each in sold] + [(-1, each) for sold in memos for each in sold]

    def total(name: str) -> Decimal:
        return sum((row[name] for row in made), Decimal(0))

    cases = sum((sign * unit[1] * quantity for sign, (unit, quantity) in signed), Decimal(0))
    bottles = sum((sign * unit[2] * quantity for sign, (unit, quantity) in signed), Decimal(0))
    assert (total("Cases"), total("Bottles")) == (cases, bottles)
    assert total("TotalBottles") == 24 * cases + bottles
    assert total("Extended") == sum((sign * quantity for sign, (_, quantity) in signed), Decimal(0))
