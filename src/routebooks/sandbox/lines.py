"""The lines of a sale: what they refer to and what they come to, for every kind of sale alike."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from routebooks.sandbox import wire
from routebooks.sandbox.books import Books
from routebooks.sandbox.changes import data_ext
from routebooks.sandbox.company_file import Stored
from routebooks.sandbox.prices import Unit, description_of, percent_of, price_of, unit_of
from routebooks.sandbox.shapes import Fields
from routebooks.sandbox.status import Refusal

_LARGEST = Decimal(10) ** 13
_HUNDRED = Decimal(100)
_NEVER_ON_A_LINE = ("ItemGroup", "ItemPayment", "ItemFixedAsset", "ItemSalesTax", "ItemSalesTaxGroup")
_COPIED = ("Desc", "IsManuallyClosed", "ServiceDate", "Other1", "Other2")
_NOT_COPIED = ("ItemRef", "ItemGroupRef", "PriceLevelRef")


@dataclass(frozen=True)
class Line:
    """A line that has been worked out. A subtotal sums up the lines above it and adds nothing itself."""

    name: str
    fields: Fields
    amount: Decimal
    subtotal: bool = False


@dataclass(frozen=True)
class Form:
    """The paper that lines stand on: its kind, the customer's price level, and whether an application filled it in.

    An application may use nothing inactive and must not contradict itself; what a bookkeeper once wrote stands.
    """

    books: Books
    kind: str
    level: Stored | None = None
    asked: bool = False

    def find(self, name: str, ref: Fields, where: str = "") -> Stored:
        """What a reference points to. Raises Refusal 3000, 3140, and 3210 for what is inactive."""
        place = f"{self.kind}{where}"
        found = self.books.resolve(name, ref, place)
        if self.asked and not found.active:
            raise Refusal(3210, f'The {name.removesuffix("Ref")} "{found.label}" in the {place} is inactive.')
        return found


def work_out(form: Form, wanted: Iterable[Fields | Line]) -> list[Line]:
    """The lines that are asked for: those with an ItemGroupRef are groups, a Line stays as it is.

    A field that is None stays empty: it is not worked out. Raises Refusal 3000, 3140, 3210, and 3040 for amounts that
    are too large.
    """
    done: list[Line] = []
    second = form.books.now()
    for line in wanted:
        if isinstance(line, Line):
            done.append(line)
        else:
            done.append(_group(form, line, second) if "ItemGroupRef" in line else _line(form, line, done, second))
    return done


def _line(form: Form, wanted: Fields, above: list[Line], second: int) -> Line:
    """One line. By memory: amounts are quantity times rate; an amount alone gives the rate; both must agree."""
    item = form.find("ItemRef", wanted["ItemRef"], " line") if wanted.get("ItemRef") is not None else None
    if item and item.kind in _NEVER_ON_A_LINE:
        raise Refusal(3210, f'The item "{item.label}" cannot stand in a line of a {form.kind}.')
    name = f"{form.kind}LineRet"
    unit = unit_of(form.books, item, wanted.get("UnitOfMeasure") or "", f"{form.kind} line")
    fields = _copied(form, wanted, second)
    if item:
        own = {"ItemRef": {"ListID": item.id}, "Desc": description_of(item)}
        tax = item.fields.get("SalesTaxCodeRef")
        fields = {**own, **({"SalesTaxCodeRef": tax} if tax else {}), **fields}
    if item and item.kind == "ItemSubtotal":
        amount = sum((one.amount for one in _since_subtotal(above)), Decimal(0))
        return Line(name, fields | {"Amount": amount}, amount, subtotal=True)
    if unit and (wanted.get("Quantity") is not None or wanted.get("UnitOfMeasure")):
        fields["UnitOfMeasure"] = unit.name
    priced = _priced(form, item, unit, wanted, above)
    return Line(name, fields | priced, priced.get("Amount") or Decimal(0))


def _copied(form: Form, wanted: Fields, second: int) -> Fields:
    fields: Fields = {"TxnLineID": wanted.get("TxnLineID") or form.books.next_id("Txn", second)}
    if form.kind == "SalesOrder":
        fields |= {"Invoiced": "0", "IsManuallyClosed": "false"}
    fields |= {name: wanted[name] for name in _COPIED if name in wanted}
    for name, ref in wanted.items():
        if name.endswith("Ref") and name not in _NOT_COPIED and ref:
            fields[name] = {"ListID": form.find(name, ref, " line").id}
    fields["DataExtRet"] = data_exts(wanted)
    return fields


def data_exts(wanted: Fields) -> list[Fields]:
    """The custom fields of a line, or of what stands above the lines."""
    given = [one for one in wanted.get("DataExt", ()) if one["DataExtValue"]]
    return [data_ext(one["OwnerID"], one["DataExtName"], one["DataExtValue"]) for one in given]


def _group(form: Form, wanted: Fields, second: int) -> Line:
    """A group item and, inside it, a line for each of its members."""
    group = form.find("ItemGroupRef", wanted["ItemGroupRef"], " line")
    count = wire.number(wanted.get("Quantity", "1"))
    line_id = wanted.get("TxnLineID") or form.books.next_id("Txn", second)
    unit = unit_of(form.books, group, wanted.get("UnitOfMeasure") or "", f"{form.kind} line")
    inner: list[Line] = []
    for member in group.fields.get("ItemGroupLine", ()):
        quantity = count * wire.number(member.get("Quantity", "1")) * (unit.ratio if unit else 1)
        one: Fields = {"ItemRef": member["ItemRef"], "Quantity": wire.quantity(quantity)}
        if "UnitOfMeasure" in member:
            one["UnitOfMeasure"] = member["UnitOfMeasure"]
        inner.append(_line(form, one, inner, second))
    total = sum((line.amount for line in inner if not line.subtotal), Decimal(0))
    fields: Fields = {
        "TxnLineID": line_id,
        "ItemGroupRef": {"ListID": group.id},
        "Desc": wanted.get("Desc", group.fields.get("ItemDesc")),
        "Quantity": count,
        "UnitOfMeasure": unit.name if unit else None,
        "IsPrintItemsInGroup": group.fields.get("IsPrintItemsInGroup", "false"),
        "TotalAmount": total,
        f"{form.kind}LineRet": [line.fields for line in inner],
        "DataExtRet": data_exts(wanted),
    }
    return Line(f"{form.kind}LineGroupRet", fields, total)


def _priced(form: Form, item: Stored | None, unit: Unit | None, wanted: Fields, above: list[Line]) -> Fields:
    """Quantity, rate and amount of a line. Raises Refusal 3210 when an application's do not agree."""
    percent = percent_of(item, wanted)
    given = _number(wanted, "Amount")
    if percent is not None:
        of_above = within((above[-1].amount if above else Decimal(0)) * percent / _HUNDRED, "Amount")
        return {"RatePercent": percent, "Amount": given if "Amount" in wanted else of_above}
    quantity = _number(wanted, "Quantity")
    priced: Fields = {} if quantity is None else {"Quantity": quantity}
    count = Decimal(1) if quantity is None else quantity
    if "Amount" in wanted and "Rate" not in wanted:
        return priced | {"Rate": given / count if given is not None and count else None, "Amount": given}
    if item is None and "Rate" not in wanted:
        return priced
    rate = _number(wanted, "Rate") if item is None or "Rate" in wanted else price_of(item, unit, _level(form, wanted))
    amount = None if rate is None else within(count * rate, "Amount")
    if form.asked and "Amount" in wanted and given != amount:
        raise Refusal(3210, f'The amount "{given}" is not the quantity times the rate.')
    return priced | {"Rate": rate, "Amount": given if "Amount" in wanted else amount}


def _number(wanted: Fields, name: str) -> Decimal | None:
    value = wanted.get(name)
    return None if value is None else wire.number(value)


def _level(form: Form, wanted: Fields) -> Stored | None:
    """The price level of a line, else the customer's."""
    return form.find("PriceLevelRef", wanted["PriceLevelRef"], " line") if "PriceLevelRef" in wanted else form.level


def _since_subtotal(above: list[Line]) -> list[Line]:
    starts = [at for at, line in enumerate(above, start=1) if line.subtotal]
    return above[starts[-1] if starts else 0 :]


def within(amount: Decimal, field: str) -> Decimal:
    """An amount in cents. Raises Refusal 3040 for one that QuickBooks has no room for."""
    rounded = wire.cents(amount)
    if abs(rounded) >= _LARGEST:
        raise Refusal(3040, f'There was an error when converting the amount "{rounded:f}" in the field "{field}".')
    return rounded
