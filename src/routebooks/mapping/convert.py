"""The SQL of values: how each kind is written as text, and how it becomes another kind, exactly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from routebooks.mapping.expression import Value
from routebooks.records import PRECISION, Field, Kind

#: every character that Python counts as white space, as members of a regular expression's set
SPACE = r"\s\x0b\x1c-\x1f\x85\pZ"
#: the value of a term that is blank for every record
NOTHING = "CAST(NULL AS VARCHAR)"

_TYPES = {
    Kind.TEXT: "VARCHAR",
    Kind.BOOLEAN: "BOOLEAN",
    Kind.INTEGER: "BIGINT",
    Kind.DATE: "DATE",
    # instants are naive UTC inside the query, so that no session time zone has a say
    Kind.TIMESTAMP: "TIMESTAMP",
}
#: no year below 1000: it is a slip, and Python has no year 0
_DAY = "[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}"
_TIME = "[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.][0-9]{1,9})?)?"
_OFFSET = "(?:Z|[+-](?:[01][0-9]|2[0-3]):?[0-5][0-9])"
#: the microseconds from 1970 to the year 10000, which Python has not either
_END_OF_TIME = 253_402_300_800_000_000


@dataclass(frozen=True)
class Term:
    """An expression as SQL: its kind, its value, and the error (a text `code:value`, or NULL); None cannot fail."""

    kind: Kind
    value: str
    error: str | None = None
    scale: int = 0


def literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def sql_type(field: Field) -> str:
    """The SQL type of a field's values."""
    return f"DECIMAL({PRECISION}, {field.scale:d})" if field.kind is Kind.DECIMAL else _TYPES[field.kind]


def constant(value: Value) -> Term:
    """The term of a value that is the same for every record."""
    match value:
        case bool():
            return Term(Kind.BOOLEAN, str(value).upper())
        case int():
            return Term(Kind.INTEGER, f"CAST({value:d} AS BIGINT)")
        case Decimal():
            scale = max(0, -int(value.as_tuple().exponent))
            digits = literal(format(value, "f"))
            return Term(Kind.DECIMAL, f"CAST({digits} AS DECIMAL({PRECISION}, {scale}))", scale=scale)
        case str() if value.strip():
            return Term(Kind.TEXT, literal(value))
        case _:
            return Term(Kind.TEXT, NOTHING)


def filled(text: str) -> str:
    """A text, or NULL where it is blank: a file cannot tell the two apart, so a blank is nothing everywhere."""
    return f"CASE WHEN regexp_matches({text}, '[^{SPACE}]') THEN {text} END"


def trim(text: str) -> str:
    """A text without the white space at its ends."""
    return f"regexp_replace({text}, '^[{SPACE}]+|[{SPACE}]+$', '', 'g')"


def as_text(term: Term) -> str:
    """The value as text: the one way in which each kind is written."""
    match term.kind:
        case Kind.TEXT:
            return term.value
        case Kind.DECIMAL if term.scale:
            # with a digit more than the scale, there is a zero before the point
            return f"rtrim(rtrim(CAST(CAST({term.value} AS DECIMAL(38, {term.scale})) AS VARCHAR), '0'), '.')"
        case Kind.TIMESTAMP:
            return f"rtrim(rtrim(strftime({term.value}, '%Y-%m-%dT%H:%M:%S.%f'), '0'), '.') || 'Z'"
        case _:
            return f"CAST({term.value} AS VARCHAR)"


def _shaped(value: str, pattern: str, to: str) -> str:
    # TRY_CAST alone also takes 1e5, 0x10, 1_000 and infinity
    text = trim(value)
    return f"TRY_CAST(CASE WHEN regexp_full_match({text}, '{pattern}') THEN {text} END AS {to})"


def _text_to_integer(value: str, to: str) -> str:
    return _shaped(value, "[+-]?[0-9]+(?:[.]0*)?", to)


def _text_to_decimal(value: str, to: str) -> str:
    return _shaped(value, "[+-]?(?:[0-9]+[.]?[0-9]*|[.][0-9]+)", to)


def _text_to_date(value: str, to: str) -> str:
    # databases write a date also as a midnight; with an offset it would be an instant, and its day a matter of zone
    text = trim(value)
    return f"TRY_CAST(CASE WHEN regexp_full_match({text}, '{_DAY}(?:[T ]{_TIME})?') THEN left({text}, 10) END AS {to})"


def _text_to_timestamp(value: str, _to: str) -> str:
    instant = f"epoch_us({_shaped(value, f'{_DAY}[T ]{_TIME}{_OFFSET}', 'TIMESTAMPTZ')})"
    return f"CASE WHEN {instant} < {_END_OF_TIME} THEN make_timestamp({instant}) END"


def _text_to_boolean(value: str, _to: str) -> str:
    text = f"lower({trim(value)})"
    return f"CASE WHEN {text} IN ('true', 'yes', '1') THEN TRUE WHEN {text} IN ('false', 'no', '0') THEN FALSE END"


def _decimal_to_integer(value: str, to: str) -> str:
    return f"CASE WHEN {value} = trunc({value}) THEN TRY_CAST({value} AS {to}) END"


def _cast(value: str, to: str) -> str:
    # DECIMAL to DECIMAL rounds exactly, half away from zero; NULL where the digits do not fit
    return f"TRY_CAST({value} AS {to})"


#: the conversions that can fail: NULL from a value that is there means that it does not fit
CONVERSIONS: Mapping[tuple[Kind, Kind], Callable[[str, str], str]] = {
    (Kind.TEXT, Kind.BOOLEAN): _text_to_boolean,
    (Kind.TEXT, Kind.INTEGER): _text_to_integer,
    (Kind.TEXT, Kind.DECIMAL): _text_to_decimal,
    (Kind.TEXT, Kind.DATE): _text_to_date,
    (Kind.TEXT, Kind.TIMESTAMP): _text_to_timestamp,
    (Kind.INTEGER, Kind.DECIMAL): _cast,
    (Kind.DECIMAL, Kind.DECIMAL): _cast,
    (Kind.DECIMAL, Kind.INTEGER): _decimal_to_integer,
}


def convertible(kind: Kind, to: Kind) -> bool:
    """Whether values of one kind can become values of another."""
    return kind is to or to is Kind.TEXT or (kind, to) in CONVERSIONS


def convert(term: Term, to: Field) -> str:
    """The value of a term as a field's kind. The kinds must be convertible."""
    if term.value == NOTHING:
        return f"CAST(NULL AS {sql_type(to)})"
    if to.kind is Kind.TEXT:
        return as_text(term)
    converter = CONVERSIONS.get((term.kind, to.kind))
    return converter(term.value, sql_type(to)) if converter else term.value
