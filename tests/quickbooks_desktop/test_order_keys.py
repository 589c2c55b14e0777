"""Our order key in a field of the sales order."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from routebooks.connectors.quickbooks_desktop.elements import checked
from routebooks.connectors.quickbooks_desktop.order_elements import HEADER
from routebooks.connectors.quickbooks_desktop.order_keys import KEY_FIELDS, carries, put
from routebooks.errors import RecordError
from routebooks.records import Document

ELEMENTS = {element.path: element for element in HEADER}


def document(key: str, **header: object) -> Document:
    return Document(key, header, ({"Desc": "x"},))


@pytest.mark.parametrize(("field", "longest"), [("Other", 29), ("PONumber", 25), ("Memo", 4095)])
def test_a_key_as_long_as_its_field_goes_in_and_a_longer_one_does_not(field: str, longest: int) -> None:
    assert put(field, document("k" * longest)) == {field: "k" * longest}
    with pytest.raises(RecordError) as caught:
        put(field, document("k" * (longest + 1)))
    assert caught.value.problem.code == "qb-order-key"
    assert f"{field} takes {longest}" in caught.value.problem.message
    assert caught.value.problem.hint


@pytest.mark.parametrize("key", ["", "  ", " 1", "1 ", "1\t2", "1\u00a02", "č1", "中", "1\x00"])
@pytest.mark.parametrize("field", KEY_FIELDS)
def test_a_key_that_might_come_back_changed_is_refused(key: str, field: str) -> None:
    with pytest.raises(RecordError) as caught:
        put(field, document(key))
    assert caught.value.problem.code == "qb-order-key"


def test_a_memo_follows_the_key() -> None:
    assert put("Memo", document("17", Memo=" call first\nthen leave ")) == {"Memo": "17 | call first\nthen leave"}
    assert put("Memo", document("17", Memo="17")) == {"Memo": "17"}
    assert put("Memo", document("17", Memo="")) == {"Memo": "17"}


def test_a_bar_in_the_key_is_refused_in_memo_only() -> None:
    assert put("Other", document("1|2")) == {"Other": "1|2"}
    with pytest.raises(RecordError, match="bar"):
        put("Memo", document("1|2"))


@pytest.mark.parametrize("field", ["Other", "PONumber"])
def test_a_field_that_the_map_fills_too_is_refused_because_one_value_would_be_lost(field: str) -> None:
    assert put(field, document("17", **{field: "17"})) == {field: "17"}
    with pytest.raises(RecordError) as caught:
        put(field, document("17", **{field: "PO-9"}))
    assert caught.value.problem.code == "qb-order-key-clash"
    assert "PO-9" in caught.value.problem.message
    assert put("Memo", document("17", **{field: "PO-9"})) == {field: "PO-9", "Memo": "17"}


@pytest.mark.parametrize(
    ("field", "value", "key", "same"),
    [
        ("Other", "17", "17", True),
        ("Other", "17 | x", "17", False),
        ("Other", "170", "17", False),
        ("Other", "", "17", False),
        ("Other", "caf\u00e9", "cafe\u0301", True),
        ("Other", "A1", "a1", False),
        ("Memo", "17", "17", True),
        ("Memo", "17 | x", "17", True),
        ("Memo", "17 |", "17", True),
        ("Memo", "17 x", "17", False),
        ("Memo", "170 | 17", "17", False),
    ],
)
def test_a_field_carries_a_key_or_not(field: str, value: str, key: str, same: bool) -> None:
    assert carries(field, value, key) is same


SHORT = st.text(st.sampled_from("ab1 |-é"), min_size=1, max_size=4)


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(sorted(KEY_FIELDS)), SHORT, SHORT, st.text(st.sampled_from("ab| \u200b\n"), max_size=5))
def test_an_order_is_found_by_its_own_key_and_by_no_other(field: str, key: str, other: str, memo: str) -> None:
    try:
        header = put(field, document(key, Memo=memo))
    except RecordError:
        assume(False)
    sent = checked(ELEMENTS[field], header[field])
    assert carries(field, sent, key)
    assert carries(field, sent, other) is (other == key)
