"""What is asked for each stream: the bytes, and the schema's word on iterators, owners, order and elements."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from reading import parse
from routebooks.connectors.base import Outcome
from routebooks.connectors.quickbooks_desktop.list_fields import ITEM_KINDS
from routebooks.connectors.quickbooks_desktop.queries import QUERIES
from routebooks.connectors.quickbooks_desktop.streams import STREAMS, page_request, read_page
from routebooks.errors import ConfigError
from routebooks.records import Extract
from support import shared

XSD = "{http://www.w3.org/2001/XMLSchema}"
HEAD = '<?xml version="1.0" encoding="utf-8"?><?qbxml version="13.0"?><QBXML><QBXMLMsgsRq onError="stopOnError">'
TAIL = "</QBXMLMsgsRq></QBXML>"
SINCE, UNTIL = (
    datetime(2026, 1, 31, 23, 0, tzinfo=UTC),
    datetime(2026, 2, 1, 8, 30, tzinfo=timezone(timedelta(hours=-5))),
)
FROM, TO = "2026-01-31T23:00:00+00:00", "2026-02-01T13:30:00+00:00"
NAMED = sorted(name for name, query in QUERIES.items() if query.by_name)
UNNAMED = sorted(QUERIES.keys() - set(NAMED))

BETWEEN = (
    f"<ModifiedDateRangeFilter><FromModifiedDate>{FROM}</FromModifiedDate><ToModifiedDate>{TO}</ToModifiedDate>"
    "</ModifiedDateRangeFilter>"
)
LINES = "<IncludeLineItems>true</IncludeLineItems><OwnerID>0</OwnerID>"
BARE = (
    f"<ActiveStatus>All</ActiveStatus><FromModifiedDate>{FROM}</FromModifiedDate><ToModifiedDate>{TO}</ToModifiedDate>"
)
DELETED = (
    f"<DeletedDateRangeFilter><FromDeletedDate>{FROM}</FromDeletedDate><ToDeletedDate>{TO}</ToDeletedDate>"
    "</DeletedDateRangeFilter>"
)
START = 'iterator="Start"><MaxReturned>100</MaxReturned>'
GOLDEN = {
    "customers": f'<CustomerQueryRq requestID="customers" {START}{BARE}<OwnerID>0</OwnerID></CustomerQueryRq>',
    "items": f'<ItemQueryRq requestID="items" {START}{BARE}<OwnerID>0</OwnerID></ItemQueryRq>',
    "vendors": f'<VendorQueryRq requestID="vendors" {START}{BARE}<OwnerID>0</OwnerID></VendorQueryRq>',
    "sales_reps": f'<SalesRepQueryRq requestID="sales_reps">{BARE}</SalesRepQueryRq>',
    "terms": f'<TermsQueryRq requestID="terms">{BARE}</TermsQueryRq>',
    "customer_types": f'<CustomerTypeQueryRq requestID="customer_types">{BARE}</CustomerTypeQueryRq>',
    "units_of_measure": f'<UnitOfMeasureSetQueryRq requestID="units_of_measure">{BARE}</UnitOfMeasureSetQueryRq>',
    "price_levels": f'<PriceLevelQueryRq requestID="price_levels">{BARE}</PriceLevelQueryRq>',
    "invoices": f'<InvoiceQueryRq requestID="invoices" {START}{BETWEEN}{LINES}</InvoiceQueryRq>',
    "credit_memos": f'<CreditMemoQueryRq requestID="credit_memos" {START}{BETWEEN}{LINES}</CreditMemoQueryRq>',
    "sales_receipts": f'<SalesReceiptQueryRq requestID="sales_receipts" {START}{BETWEEN}{LINES}</SalesReceiptQueryRq>',
    "open_invoices": f'<InvoiceQueryRq requestID="open_invoices" {START}{BETWEEN}<PaidStatus>NotPaidOnly</PaidStatus>'
    "<IncludeLineItems>false</IncludeLineItems><IncludeRetElement>TxnID</IncludeRetElement>"
    "<IncludeRetElement>TimeModified</IncludeRetElement><IncludeRetElement>CustomerRef</IncludeRetElement>"
    "<IncludeRetElement>TxnDate</IncludeRetElement><IncludeRetElement>RefNumber</IncludeRetElement>"
    "<IncludeRetElement>IsPending</IncludeRetElement><IncludeRetElement>DueDate</IncludeRetElement>"
    "<IncludeRetElement>BalanceRemaining</IncludeRetElement></InvoiceQueryRq>",
    "deleted_transactions": '<TxnDeletedQueryRq requestID="deleted_transactions"><TxnDelType>Invoice</TxnDelType>'
    f"<TxnDelType>CreditMemo</TxnDelType><TxnDelType>SalesReceipt</TxnDelType>{DELETED}</TxnDeletedQueryRq>",
    "deleted_items_and_customers": '<ListDeletedQueryRq requestID="deleted_items_and_customers">'
    "<ListDelType>Customer</ListDelType><ListDelType>ItemService</ListDelType>"
    "<ListDelType>ItemNonInventory</ListDelType><ListDelType>ItemOtherCharge</ListDelType>"
    "<ListDelType>ItemInventory</ListDelType><ListDelType>ItemInventoryAssembly</ListDelType>"
    "<ListDelType>ItemFixedAsset</ListDelType><ListDelType>ItemSubtotal</ListDelType>"
    "<ListDelType>ItemDiscount</ListDelType><ListDelType>ItemPayment</ListDelType>"
    "<ListDelType>ItemSalesTax</ListDelType><ListDelType>ItemSalesTaxGroup</ListDelType>"
    f"<ListDelType>ItemGroup</ListDelType>{DELETED}</ListDeletedQueryRq>",
}


def test_every_stream_has_its_bytes_here() -> None:
    assert GOLDEN.keys() == QUERIES.keys() == STREAMS.keys()


@pytest.mark.parametrize("stream", sorted(QUERIES))
def test_a_request_is_these_bytes(stream: str, validated: Callable[[bytes], etree._Element]) -> None:
    request = page_request("13.0", Extract(stream, 100, SINCE, modified_until=UNTIL))
    assert request == f"{HEAD}{GOLDEN[stream]}{TAIL}".encode()
    validated(request)


@pytest.mark.parametrize("stream", sorted(QUERIES))
def test_the_whole_stream_is_asked_for_without_times(stream: str, validated: Callable[[bytes], etree._Element]) -> None:
    golden = GOLDEN[stream].replace(BETWEEN, "").replace(DELETED, "").replace(BARE, "<ActiveStatus>All</ActiveStatus>")
    request = page_request("13.0", Extract(stream, 100))
    assert request == f"{HEAD}{golden}{TAIL}".encode()
    validated(request)


@pytest.mark.parametrize("stream", sorted(QUERIES))
def test_an_iterator_and_an_owner_are_asked_for_just_where_the_schema_takes_them(
    stream: str, schema: etree.XMLSchema
) -> None:
    query = QUERIES[stream]
    bare = etree.fromstring(page_request("13.0", Extract(stream, 100)))
    asked = bare[0][0]
    asked.attrib.pop("iterator", "")
    for owner in asked.findall("OwnerID"):
        asked.remove(owner)
    assert schema.validate(bare), schema.error_log
    etree.SubElement(asked, "OwnerID").text = "0"
    # Of open invoices the few fields named are all that is wanted.
    assert query.custom_fields == (schema.validate(bare) and stream != "open_invoices")
    asked.remove(asked[-1])
    asked.set("iterator", "Start")
    assert query.paged == schema.validate(bare)
    for iterator_id in ("", "{a-1}"):
        request = page_request("13.0", Extract(stream, 100), iterator_id)
        assert (b"iterator" in request) == query.paged
        assert (b"MaxReturned" in request) == query.paged
        assert (b"OwnerID" in request) == query.custom_fields


def test_all_kinds_of_item_are_known_by_the_schema_of_what_was_deleted() -> None:
    root = etree.parse(shared("wire", "qbxml-13.0", "qbxmlops130.xsd")).getroot()
    schemas = (root, etree.parse(shared("wire", "qbxml-13.0", "qbxml130_modified.xsd")).getroot())
    kinds = {
        value.get("value", "")
        for schema in schemas
        for node in schema.iter(f"{XSD}element")
        if node.get("name") == "ListDelType"
        for value in node.iter(f"{XSD}enumeration")
    }
    assert {kind for kind in kinds if kind.startswith("Item")} == set(ITEM_KINDS)


@pytest.mark.parametrize("stream", UNNAMED)
def test_what_has_no_names_cannot_be_cut_by_them(stream: str) -> None:
    with pytest.raises(ConfigError, match="cannot be cut") as caught:
        page_request("13.0", Extract(stream, 100, name_range=("A", "M")))
    with pytest.raises(ConfigError, match="cannot be cut"):
        page_request("13.0", Extract(stream, 100, below="A"))
    assert caught.value.problem.code == "no-name-range"
    assert page_request("13.0", Extract(stream, 100, name_range=("", ""))) == page_request("13.0", Extract(stream, 100))


@pytest.mark.parametrize("stream", NAMED)
def test_what_stands_below_a_name_is_asked_for_by_its_beginning(
    stream: str, validated: Callable[[bytes], etree._Element]
) -> None:
    request = page_request("13.0", Extract(stream, 100, SINCE, below="Añejo & Sons:Bar"))
    asked = (
        "<NameFilter><MatchCriterion>StartsWith</MatchCriterion><Name>A&#241;ejo &amp; Sons:Bar:</Name></NameFilter>"
    )
    whole = page_request("13.0", Extract(stream, 100, SINCE)).decode()
    since = f"<FromModifiedDate>{FROM}</FromModifiedDate>"
    assert request == whole.replace(since, since + asked).encode()
    validated(request)


ZONES = st.integers(-14 * 4, 14 * 4).map(lambda quarters: timezone(timedelta(minutes=15 * quarters)))
INSTANTS = st.none() | st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=ZONES)  # noqa: DTZ001


@settings(deadline=None, max_examples=100)
@given(
    st.sampled_from(sorted(QUERIES)),
    st.integers(-3, 9999),
    INSTANTS,
    INSTANTS,
    st.none() | st.tuples(st.text(max_size=5), st.text(max_size=5)),
    st.sampled_from(["", "{a0-1}"]),
)
def test_any_extract_gives_a_request_that_the_schema_takes(
    schema: etree.XMLSchema,
    stream: str,
    size: int,
    since: datetime | None,
    until: datetime | None,
    names: tuple[str, str] | None,
    iterator_id: str,
) -> None:
    extract = Extract(stream, size, since, names if stream in NAMED else None, until)
    assert schema.validate(etree.fromstring(page_request("13.0", extract, iterator_id))), schema.error_log


@pytest.mark.parametrize("stream", sorted(QUERIES))
def test_a_page_of_every_stream_is_read(stream: str) -> None:
    query = QUERIES[stream]
    records = "".join(f"<{tag}><{query.key}>{tag}</{query.key}></{tag}>" for tag in query.records)
    answer = (
        f'<?xml version="1.0" ?><QBXML><QBXMLMsgsRs><{query.response} statusCode="0" statusSeverity="Info" '
        f'statusMessage="OK" retCount="{len(query.records)}">{records}</{query.response}></QBXMLMsgsRs></QBXML>'
    ).encode()
    page = read_page("13.0", Extract(stream, 100), answer)
    assert (page.outcome, page.records, page.next_request) == (Outcome.OK, len(query.records), None)
    assert parse(stream, [answer])[query.key].to_pylist() == list(query.records)
    other = answer.replace(query.response.encode(), b"HostQueryRs")
    assert read_page("13.0", Extract(stream, 100), other).outcome is Outcome.RETRY


@pytest.mark.parametrize("stream", sorted(QUERIES))
def test_a_stream_names_its_own_fields(stream: str) -> None:
    shape = STREAMS[stream]
    names = [field.name for field in shape.fields]
    assert len(names) == len(set(names))
    assert {shape.key, shape.label, shape.modified} <= set(names)
    assert shape.line in (None, "LineNumber")
    assert (shape.line in names) == (shape.line is not None)


@pytest.mark.parametrize("secret", ["VendorTaxIdent", "CreditCardInfo", "CreditCardTxnInfo"])
def test_personal_data_is_read_nowhere(secret: str) -> None:
    for stream, query in QUERIES.items():
        inside = f"<{secret}>4111-1111<CreditCardNumber>4111-1111</CreditCardNumber></{secret}>"
        lines = "".join(f"<{tag}>{inside}</{tag}>" for tag in (query.lines.elements if query.lines else ()))
        tag = query.records[0]
        answer = (
            f'<QBXML><QBXMLMsgsRs><{query.response} statusCode="0"><{tag}><{query.key}>1</{query.key}>{inside}{lines}'
            f"</{tag}></{query.response}></QBXMLMsgsRs></QBXML>"
        ).encode()
        assert "4111-1111" not in str(parse(stream, [answer]).to_pylist())
