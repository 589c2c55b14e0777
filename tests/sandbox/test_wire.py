"""Values as QuickBooks writes and reads them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routebooks.sandbox import wire
from routebooks.sandbox.shapes import Leaf, ShapeError, shape

_AMOUNTS = st.decimals(min_value=-(10**12), max_value=10**12, places=5, allow_nan=False)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("0", "0.00"),
        ("93.765", "93.77"),
        ("-93.765", "-93.77"),
        ("0.004", "0.00"),
        ("1234567890123", "1234567890123.00"),
    ],
)
def test_amounts_are_rounded_half_away_from_zero(value: str, written: str) -> None:
    assert wire.amount(Decimal(value)) == written


@pytest.mark.parametrize(
    ("value", "price", "quantity"),
    [("12", "12.00", "12"), ("12.5", "12.50", "12.5"), ("0.12345", "0.12345", "0.12345"), ("100", "100.00", "100")],
)
def test_prices_have_two_decimals_and_quantities_no_padding(value: str, price: str, quantity: str) -> None:
    assert wire.price(Decimal(value)) == price
    assert wire.quantity(Decimal(value)) == quantity


@given(_AMOUNTS)
def test_what_is_written_says_the_same_number(value: Decimal) -> None:
    assert Decimal(wire.price(value)) == value
    assert Decimal(wire.quantity(value)) == value
    assert abs(Decimal(wire.amount(value)) - value) <= Decimal("0.005")


@given(st.text())
def test_text_keeps_what_windows_1252_can_say(text: str) -> None:
    kept = wire.text(text)
    assert kept == kept.encode("cp1252").decode("cp1252")
    assert wire.text(kept) == kept


def test_text_loses_what_windows_1252_cannot_say() -> None:
    assert wire.text("Rosé – 5 € \N{BEER MUG}Łódź\x07\ttab\n") == "Rosé – 5 € ??ód?\ttab\n"


def test_leaves_take_values_of_python() -> None:
    assert wire.leaf(Leaf("bool"), True) == "true"
    assert wire.leaf(Leaf("bool"), "0") == "false"
    assert wire.leaf(Leaf("date"), date(2024, 3, 4)) == "2024-03-04"
    assert wire.leaf(Leaf("amount"), 5) == "5.00"
    assert wire.leaf(Leaf("amount"), Decimal("1.005")) == "1.01"
    assert wire.leaf(Leaf("price"), Decimal("1.005")) == "1.005"
    assert wire.leaf(Leaf("price"), "7.5") == "7.50"
    assert wire.leaf(Leaf("int"), 30) == "30"
    with pytest.raises(ShapeError):
        wire.leaf(Leaf(limit=3), "four")


def test_fields_of_a_shape_leave_out_what_is_empty() -> None:
    known = shape("Name:5 Place?:Place Note*", {"Place": shape("City:9 Zip?:5")})
    made = wire.fields(known, {"Name": "Gin", "Place": {"City": "X", "Zip": ""}, "Note": ["a", "b"]})
    assert made == {"Name": "Gin", "Place": {"City": "X"}, "Note": ["a", "b"]}
    assert wire.fields(known, {"Name": None, "Note": []}) == {}
    with pytest.raises(ShapeError):
        wire.fields(known, {"Nam": "Gin"})


@pytest.mark.parametrize(
    ("written", "end", "moment"),
    [
        ("2024-03-04", False, datetime(2024, 3, 4, 5, 0, tzinfo=UTC)),
        ("2024-03-04", True, datetime(2024, 3, 5, 4, 59, 59, tzinfo=UTC)),
        ("2024-7-4T8", False, datetime(2024, 7, 4, 12, 0, tzinfo=UTC)),
        ("2024-07-04T08:30", True, datetime(2024, 7, 4, 12, 30, tzinfo=UTC)),
        ("2015-11-04T14:39:03-08:00", False, datetime(2015, 11, 4, 22, 39, 3, tzinfo=UTC)),
        ("2015-11-04T14:39:03+05:30", False, datetime(2015, 11, 4, 9, 9, 3, tzinfo=UTC)),
    ],
)
def test_moments_are_read_in_the_zone_of_the_workstation(written: str, end: bool, moment: datetime) -> None:
    assert wire.moment(written, ZoneInfo("America/New_York"), end=end) == moment


@pytest.mark.parametrize("written", ["2024-13-01", "2023-02-29T10", "2024-01-01T25:00"])
def test_moments_outside_the_calendar_are_none(written: str) -> None:
    with pytest.raises(ValueError):
        wire.moment(written, ZoneInfo("UTC"))
