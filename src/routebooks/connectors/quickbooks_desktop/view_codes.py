"""The view codes: what stands behind the codes of the other files (detail.fil), complete whatever they leave out.

The numbers of the kinds are PocketAdvantage's (reference/pocketadvantage.md, section 1.3); those of an item's codes are
not published and thus settings.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa

from routebooks.connectors.base import Connection, View
from routebooks.connectors.quickbooks_desktop.view_settings import detail_kind, names, status_codes
from routebooks.records import Field, Stream
from routebooks.rows import Rows

COMPANY, TEAM, REP, CATEGORY, CUSTOMER_TYPE = "10", "11", "12", "30", "31"
CHAIN, REGION, STATUS, TERMS = "32", "34", "40", "41"

CODES = View(
    Stream(
        name="codes",
        fields=(Field(name="Place"), Field(name="DetailKind"), Field(name="Code"), Field(name="Description")),
        key="Place",
        label="Place",
    ),
    needs=("customers", "items", "sales_reps", "terms", "customer_types", "vendors"),
)

_Pairs = Iterable[tuple[str | None, str | None]]


def codes(connection: Connection, sources: Mapping[str, Rows]) -> Rows:
    """Each code of each kind once, by its first description. Raises ConfigError for a kind that is no number."""
    found: dict[tuple[str, str], str | None] = {}
    for kind, pairs in _kinds(connection, sources):
        for code, description in pairs:
            if code and code.strip():
                found[kind, code.strip()] = found.get((kind, code.strip())) or description
    rows = [(f"{kind}/{code}", kind, code, description) for (kind, code), description in sorted(found.items())]
    columns = {
        field.name: pa.array([row[place] for row in rows], field.arrow)
        for place, field in enumerate(CODES.stream.fields)
    }
    return Rows.of_table(pa.table(columns))


def _kinds(connection: Connection, sources: Mapping[str, Rows]) -> Iterator[tuple[str, _Pairs]]:
    settings, customers, items = connection.settings, sources["customers"], sources["items"]
    yield COMPANY, [(connection.company.cust_id, connection.company.name)]
    yield TEAM, _values(customers, names(settings, "team_field"))
    yield REP, _columns(sources["sales_reps"], "Initial", "SalesRepEntityRef.FullName")
    # A list may have been read before a customer was given a new code of it.
    for kind, field in ((REP, "SalesRepRef"), (CUSTOMER_TYPE, "CustomerTypeRef"), (TERMS, "TermsRef")):
        yield kind, _values(customers, (f"{field}.FullName",))
    yield CATEGORY, _values(customers, names(settings, "category_field"))
    yield CUSTOMER_TYPE, _columns(sources["customer_types"], "FullName")
    yield CHAIN, _values(customers, names(settings, "chain_field"))
    yield REGION, _values(customers, names(settings, "region_field"))
    yield STATUS, status_codes(settings).items()
    yield TERMS, _columns(sources["terms"], "Name")
    if kind := detail_kind(settings, "detail_supplier"):
        yield kind, _suppliers(items, sources["vendors"])
    for setting in ("brand", "product_type"):
        if kind := detail_kind(settings, f"detail_{setting}"):
            yield kind, _values(items, names(settings, f"{setting}_field"))


def _columns(source: Rows, code: str, description: str = "") -> _Pairs:
    table = source.table([code, description] if description else [code])
    descriptions = table[description].to_pylist() if description else [None] * table.num_rows
    return zip(table[code].to_pylist(), descriptions, strict=True)


def _values(source: Rows, fields: tuple[str, ...]) -> _Pairs:
    """The values of the first of the fields that is filled, sorted; a custom field goes before a field of its name."""
    columns = list(dict.fromkeys(name for field in fields if (name := _column(source, field))))
    filled: set[Any] = set()
    for batch in source.batches(columns) if columns else ():
        for row in zip(*(batch[name].to_pylist() for name in columns), strict=True):
            filled.add(next((value for value in row if value is not None and str(value).strip()), None))
    return [(str(value), None) for value in sorted(filled - {None}, key=str)]


def _column(source: Rows, field: str) -> str | None:
    return next((name for name in (f"Custom.{field}", field) if name in source.schema.names), None)


def _suppliers(items: Rows, vendors: Rows) -> _Pairs:
    """The vendors that an item comes from. The others (landlord, power company) are nobody's business there."""
    companies = dict(_columns(vendors, "Name", "CompanyName"))
    suppliers = {name for name, _ in _columns(items, "PrefVendorRef.FullName") if name}
    return [(name, companies.get(name)) for name in sorted(suppliers)]
