"""Every kind of object, filled to the brim, against Intuit's own schema: the order of what is returned."""

from __future__ import annotations

from typing import Any

import pytest
from lxml import etree

from routebooks.sandbox.answers import Answer, Wanted, document, returned
from routebooks.sandbox.objects import KINDS, REFERENCES
from routebooks.sandbox.shapes import LINES, Element, Fields, Group, Leaf
from sandbox_support import schema

_TEXTS = {
    "text": "Gin", "id": "80000003-1446676743", "bool": "true", "date": "2024-03-04", "amount": "10.50",
    "datetime": "2024-03-04T05:06:07-05:00", "price": "10.50", "quantity": "3", "percent": "2.50", "int": "1",
    "guid": "{57F3B9B6-86F1-4FCC-B1FF-966DE1813D20}",
}  # fmt: skip

_ANSWERS = {name: "ItemQueryRs" for name in KINDS if name.startswith("Item")} | {"DataExt": "DataExtAddRs"}
#: Kinds that only references point to; there is no query for them yet.
_NO_ANSWER = {"Employee", "OtherName", "Account", "SalesTaxCode", "Template", "ShipMethod"}


def _full(group: Group, choose: int) -> Fields:
    made: Fields = {}
    for part in group.parts:
        if isinstance(part, Element):
            value: Any = _text(part.content) if isinstance(part.content, Leaf) else _full(part.content, choose)
            made[part.name] = value if part.most == 1 else [value, value]
        elif part.choice and part.most is None:
            made[LINES] = [_full(Group((inner,)), choose) for inner in part.parts]
        elif part.choice:
            made |= _full(Group((part.parts[choose % len(part.parts)],)), choose)
    return made


def _text(leaf: Leaf) -> str:
    return leaf.values[0] if leaf.values else _TEXTS[leaf.kind][: leaf.limit]


@pytest.mark.parametrize("choose", [0, 1])
@pytest.mark.parametrize("kind", sorted(set(KINDS) - _NO_ANSWER))
def test_a_full_object_is_valid(kind: str, choose: int) -> None:
    fields = _full(KINDS[kind].ret, choose)
    owner = _TEXTS["guid"].casefold()
    body = returned(kind, fields, Wanted(owners=frozenset((owner,))))
    answer = document([Answer(_ANSWERS.get(kind, f"{kind}QueryRs"), "1", body=body)])
    assert schema().validate(etree.fromstring(answer)), schema().error_log
    for name in fields.keys() - {LINES}:
        assert f"<{name}>".encode() in answer


def test_references_point_to_kinds_of_one_family() -> None:
    for kinds in REFERENCES.values():
        assert len({KINDS[kind].family for kind in kinds}) == 1


def test_elements_can_be_chosen_and_custom_fields_are_an_owner_s() -> None:
    custom = [{"OwnerID": "0", "DataExtName": "Region", "DataExtType": "STR255TYPE", "DataExtValue": "Shore"}]
    fields: Fields = {"ListID": "1-1", "Name": "Gin", "FullName": "Gin", "DataExtRet": custom}
    assert returned("Customer", fields, Wanted()) == (
        "<CustomerRet>\n<ListID>1-1</ListID>\n<Name>Gin</Name>\n<FullName>Gin</FullName>\n</CustomerRet>\n"
    )
    assert (
        returned("Customer", fields, Wanted(frozenset({"Name"}))) == "<CustomerRet>\n<Name>Gin</Name>\n</CustomerRet>\n"
    )
    shown = returned("Customer", fields, Wanted(frozenset({"DataExtRet"}), frozenset({"0"})))
    assert shown.count("DataExtValue") == 2
    assert "Name>Gin" not in shown
