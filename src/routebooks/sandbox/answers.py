"""Writes answers as QuickBooks does: no encoding in the declaration, no qbxml line, one element a line, ASCII only."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from xml.sax.saxutils import escape

from routebooks.sandbox.objects import KINDS
from routebooks.sandbox.reader import Request
from routebooks.sandbox.shapes import LINES, Element, Fields, Group
from routebooks.sandbox.status import OK, severity

_LINES_BELOW = ("DiscountLineRet", "SalesTaxLineRet", "ShippingLineRet")


@dataclass(frozen=True)
class Wanted:
    """Which parts of an object an answer shows: all elements when none is named, custom fields of the owners named."""

    elements: frozenset[str] = frozenset()
    owners: frozenset[str] = frozenset()
    lines: bool = True
    links: bool = True


@dataclass(frozen=True)
class Answer:
    """The answer to one request. `recovery` holds the ids of what was written, for a request that is sent again."""

    name: str
    request_id: str | None
    status: tuple[int, str] = OK
    #: retCount, iteratorRemainingCount, iteratorID
    extra: tuple[tuple[str, str], ...] = ()
    body: str = ""
    recovery: Fields | None = None

    @property
    def failed(self) -> bool:
        """Whether the request was refused."""
        return self.status[0] >= 1000


def wanted_of(request: Request) -> Wanted:
    """What a request says of the parts that it wants to see; a query has to ask for lines and links."""
    fields = request.fields
    return Wanted(
        frozenset(fields.get("IncludeRetElement", ())),
        frozenset(owner.casefold() for owner in fields.get("OwnerID", ())),
        lines=not request.name.endswith("QueryRq") or fields.get("IncludeLineItems") in ("true", "1"),
        links=fields.get("IncludeLinkedTxns") in ("true", "1"),
    )


def answer_to(request: Request, **values: Any) -> Answer:
    """An answer with the request's name and id."""
    return Answer(request.answer_name, request.attributes.get("requestID"), **values)


def returned(kind: str, fields: Fields, wanted: Wanted) -> str:
    """An object as XML: the elements in the order of its kind, those that are wanted."""
    shown = {name: value for name, value in fields.items() if not wanted.elements or name in wanted.elements}
    hidden = (() if wanted.lines else _LINES_BELOW) + (() if wanted.links else ("LinkedTxn",))
    shown = {name: value for name, value in shown.items() if name not in hidden}
    lines = fields.get(LINES, []) if wanted.lines else []
    shown[LINES] = [line for line in lines if not wanted.elements or set(line) & wanted.elements]
    return _block(f"{kind}Ret", "".join(_written(KINDS[kind].ret, _without_strange_fields(shown, wanted.owners))))


def _without_strange_fields(value: Any, owners: frozenset[str]) -> Any:
    """The same fields less the custom ones (DataExtRet) of owners who were not named."""
    if isinstance(value, list):
        return [_without_strange_fields(inner, owners) for inner in value]
    if not isinstance(value, dict):
        return value
    kept = {name: _without_strange_fields(inner, owners) for name, inner in value.items()}
    if "DataExtRet" in kept:
        kept["DataExtRet"] = [ext for ext in kept["DataExtRet"] if ext["OwnerID"].casefold() in owners]
    return kept


def _written(part: Element | Group, fields: Fields) -> Iterator[str]:
    if isinstance(part, Group):
        lines = fields.get(LINES, []) if part.choice and part.most is None else [fields]
        for line in lines:
            for inner in part.parts:
                yield from _written(inner, line)
        return
    value = fields.get(part.name)
    for one in value if isinstance(value, list) else [] if value is None else [value]:
        if isinstance(part.content, Group):
            yield _block(part.name, "".join(_written(part.content, one)))
        else:
            yield f"<{part.name}>{escape(one, {chr(13): '&#13;'})}</{part.name}>\n"


def _block(name: str, inner: str) -> str:
    return f"<{name}>\n{inner}</{name}>\n" if inner else f"<{name} />\n"


def document(answers: Iterable[Answer], attributes: Iterable[tuple[str, str]] = (), *, data: bool = True) -> bytes:
    """The whole answer to a message set; without data only the statuses (responseData includeNone)."""
    inner = "".join(_answer(answer, data) for answer in answers)
    head = f"QBXMLMsgsRs{_attributes(attributes)}"
    outer = f"<{head}>\n{inner}</QBXMLMsgsRs>\n" if inner else f"<{head} />\n"
    text = f'<?xml version="1.0" ?>\n<QBXML>\n{outer}</QBXML>\n'
    return text.encode("ascii", "xmlcharrefreplace")


def _answer(answer: Answer, data: bool) -> str:
    code, message = answer.status
    request_id = [] if answer.request_id is None else [("requestID", answer.request_id)]
    status = [("statusCode", str(code)), ("statusSeverity", severity(code)), ("statusMessage", message)]
    head = f"{answer.name}{_attributes([*request_id, *status, *answer.extra])}"
    body = answer.body if data else ""
    return f"<{head}>\n{body}</{answer.name}>\n" if body else f"<{head} />\n"


def _attributes(pairs: Iterable[tuple[str, str]]) -> str:
    return "".join(f' {name}="{escape(value, {chr(34): "&quot;"})}"' for name, value in pairs)


def remembered(answers: Iterable[Answer]) -> str:
    """What the file keeps of a message set's answers: the statuses and the ids, not the data."""
    rows = [[one.name, one.request_id, one.status[0], one.status[1], one.recovery] for one in answers]
    return json.dumps(rows)


def replayed(kept: str) -> list[Answer]:
    """The answers of the first run, with ErrorRecovery in place of what they returned then."""
    answers = [Answer(row[0], row[1], (row[2], row[3]), recovery=row[4]) for row in json.loads(kept)]
    return [replace(one, body=_recovery(one.recovery)) if one.recovery else one for one in answers]


def _recovery(ids: Fields) -> str:
    order = ("ListID", "OwnerID", "TxnID", "TxnNumber", "EditSequence", "ExternalGUID")
    lines = (f"<{name}>{escape(ids[name])}</{name}>\n" for name in order if ids.get(name))
    return _block("ErrorRecovery", "".join(lines))
