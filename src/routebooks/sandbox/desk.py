"""What a bookkeeper does in the company, for tests and seeds: lists, sales, payments, and what is looked up there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any

from routebooks.sandbox import changes, journal, sales, wire
from routebooks.sandbox.books import Books
from routebooks.sandbox.company_file import CompanyFile, Stored
from routebooks.sandbox.objects import ITEMS
from routebooks.sandbox.sale_shapes import SALES
from routebooks.sandbox.shapes import LINES, Fields

#: A line of a sale by qbXML's names. A reference is a name; what is None stays empty, what is left out is worked out.
#: `{"ItemRef": "GIN", "Quantity": 2}`, `{"Desc": "words"}`, `{"ItemGroupRef": "Sampler"}`; `custom` are custom fields.
LineGiven = Mapping[str, Any]


class Desk:
    """The books of a company file, open in front of a person."""

    def __init__(self, file: CompanyFile, books: Books) -> None:
        self._file = file
        self._books = books

    def today(self) -> date:
        """The present day at the workstation."""
        return self._books.today()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Many changes as one: all or none of them, and fast."""
        with self._file.transaction():
            yield

    @property
    def percent_signs(self) -> bool:
        """Whether price levels show percentages as `18.0%`, as QuickBooks can, against its own schema."""
        return self._books.percent_signs

    @percent_signs.setter
    def percent_signs(self, shown: bool) -> None:
        with self._file.transaction():
            self._books.percent_signs = shown

    # Lists.

    def add(self, kind: str, *, custom: Mapping[str, str] | None = None, **fields: Any) -> str:
        """Adds an object of a list (`Customer`, `ItemInventory`, `StandardTerms`...); its ListID.

        Fields have qbXML's names; a reference is a name; `custom` are custom fields. Raises Refusal, ShapeError.
        """
        if custom:
            fields["DataExtRet"] = [changes.data_ext("0", name, value) for name, value in custom.items() if value]
        with self._file.transaction():
            return self._books.add(kind, fields).id

    def update(self, kind: str, key: str, *, custom: Mapping[str, str] | None = None, **fields: Any) -> None:
        """Changes an object, found by id or name; None takes a field away, "" a custom one.

        Raises KeyError, Refusal, ShapeError.
        """
        with self._file.transaction():
            found = self._find((kind,), key)
            exts = found.fields.get("DataExtRet", [])
            for name, value in (custom or {}).items():
                exts = changes.with_data_ext(exts, changes.data_ext("0", name, value))
            self._books.change(found, {**fields, "DataExtRet": exts} if custom else fields)

    def delete_from_list(self, kind: str, key: str) -> None:
        """Deletes an object of a list, found by id or name. Raises KeyError; Refusal 3160 when something refers to it.

        ListDeletedQuery tells of it for 90 days.
        """
        with self._file.transaction():
            journal.delete(self._books, self._find((kind,), key))

    # Sales.

    def add_invoice(
        self,
        customer: str,
        lines: Sequence[LineGiven],
        *,
        date: date | None = None,
        ref_number: str | None = None,
        memo: str | None = None,
        po_number: str | None = None,
        terms: str | None = None,
        custom: Mapping[str, str] | None = None,
        **fields: Any,
    ) -> str:
        """Adds an invoice to a customer, named by id or full name; its TxnID. `fields` are further ones of InvoiceRet.

        Without a date it is today's, without a number QuickBooks gives one ("": none at all), without terms they are
        the customer's. Raises KeyError for the customer, Refusal, ShapeError.
        """
        fields |= {"TxnDate": date, "RefNumber": ref_number, "Memo": memo, "PONumber": po_number, "TermsRef": terms}
        return self._add("Invoice", customer, lines, custom, fields)

    def add_credit_memo(
        self,
        customer: str,
        lines: Sequence[LineGiven],
        *,
        date: date | None = None,
        ref_number: str | None = None,
        memo: str | None = None,
        custom: Mapping[str, str] | None = None,
        **fields: Any,
    ) -> str:
        """Adds a credit memo: its amounts are positive, the customer owes less by them. As `add_invoice`."""
        fields |= {"TxnDate": date, "RefNumber": ref_number, "Memo": memo}
        return self._add("CreditMemo", customer, lines, custom, fields)

    def add_sales_receipt(
        self,
        customer: str,
        lines: Sequence[LineGiven],
        *,
        date: date | None = None,
        ref_number: str | None = None,
        memo: str | None = None,
        custom: Mapping[str, str] | None = None,
        **fields: Any,
    ) -> str:
        """Adds a sale that was paid at once. As `add_invoice`."""
        fields |= {"TxnDate": date, "RefNumber": ref_number, "Memo": memo}
        return self._add("SalesReceipt", customer, lines, custom, fields)

    def _add(
        self,
        kind: str,
        customer: str,
        lines: Sequence[LineGiven],
        custom: Mapping[str, str] | None,
        fields: Mapping[str, Any],
    ) -> str:
        """What is None is left to QuickBooks."""
        header = _given({name: value for name, value in fields.items() if value is not None}, custom)
        with self._file.transaction():
            buyer = self._find(("Customer",), customer)
            paper = sales.form(self._books, kind, buyer)
            return sales.add(paper, buyer, header, [_given(line) for line in lines]).id

    def update_transaction(
        self,
        txn_id: str,
        *,
        lines: Sequence[LineGiven] | None = None,
        custom: Mapping[str, str] | None = None,
        **fields: Any,
    ) -> None:
        """Changes a sale. Fields have qbXML's names (`Memo`, `TxnDate`, `CustomerRef`); None takes one away.

        Where lines are given they are all that it has from now on: one with the TxnLineID of a present line keeps what
        it does not say anew. Raises KeyError; Refusal, among others when less is left than was paid; ShapeError.
        """
        with self._file.transaction():
            stored = self._find(tuple(SALES), txn_id)
            new_lines = None if lines is None else [_given(line) for line in lines]
            sales.update(self._books, stored, _given(fields, custom), new_lines)

    def void(self, txn_id: str) -> None:
        """Makes a sale void: amounts and quantities nought, `VOID:` before the memo. Raises KeyError, Refusal 3210."""
        with self._file.transaction():
            journal.void(self._books, self._find(tuple(SALES), txn_id))

    def delete(self, txn_id: str) -> None:
        """Deletes a sale; TxnDeletedQuery tells of it for 90 days. Raises KeyError."""
        with self._file.transaction():
            journal.delete(self._books, self._find(tuple(SALES), txn_id))

    def pay(self, txn_id: str, amount: Decimal | int | str | None = None) -> str:
        """A payment received today for an invoice, of all that is left where no amount is told; its own TxnID.

        Invoice and customer are modified by it. Raises KeyError; Refusal 3210 for nothing, or more than is left.
        """
        with self._file.transaction():
            invoice = self._find(("Invoice",), txn_id)
            left = invoice.fields["BalanceRemaining"]
            return journal.pay(self._books, invoice, Decimal(left if amount is None else amount))

    def _find(self, kinds: Sequence[str], key: str) -> Stored:
        found = self._file.get("Txn", key) if kinds[0] in SALES else self._books.find(kinds, key)
        if found is None or found.kind not in kinds:
            raise KeyError(f"{' or '.join(kinds)} {key}")
        return found

    # What is there.

    def objects(self, *kinds: str) -> list[Fields]:
        """The fields of all objects of some kinds, with their `kind`, in order of their making."""
        with self._file.lock:
            return [{"kind": one.kind, **self._books.named_fields(one)} for one in self._file.of_kinds(kinds)]

    def customers(self) -> list[Fields]:
        """All customers and jobs: ListID, FullName, AccountNumber and the other elements of CustomerRet."""
        return self.objects("Customer")

    def items(self) -> list[Fields]:
        """All items of all kinds."""
        return self.objects(*ITEMS)

    def sales_orders(self) -> list[Fields]:
        """All sales orders: the elements of SalesOrderRet, and `lines`, a list of the fields of each line."""
        return self._sales("SalesOrder")

    def invoices(self) -> list[Fields]:
        """All invoices, as `sales_orders`."""
        return self._sales("Invoice")

    def credit_memos(self) -> list[Fields]:
        """All credit memos, as `sales_orders`."""
        return self._sales("CreditMemo")

    def sales_receipts(self) -> list[Fields]:
        """All sales receipts, as `sales_orders`."""
        return self._sales("SalesReceipt")

    def _sales(self, kind: str) -> list[Fields]:
        found = self.objects(kind)
        return [{**one, "lines": [line for entry in one.get(LINES, []) for line in entry.values()]} for one in found]


def _given(values: Mapping[str, Any], custom: Mapping[str, str] | None = None) -> Fields:
    """Values of Python as a request would bring them."""
    plain = {name: value for name, value in values.items() if name != "custom"}
    made = wire.given(plain)
    exts = custom or values.get("custom") or {}
    if exts:
        made["DataExt"] = [{"OwnerID": "0", "DataExtName": name, "DataExtValue": text} for name, text in exts.items()]
    return made
