"""The field tables against Intuit's schema: every path is there, of the type and length that the table says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from lxml import etree

from routebooks.connectors.quickbooks_desktop.columns import OWN_NAME, ListField
from routebooks.connectors.quickbooks_desktop.elements import Element
from routebooks.connectors.quickbooks_desktop.order_elements import GROUP, HEADER, LINE
from routebooks.connectors.quickbooks_desktop.queries import QUERIES
from routebooks.records import Kind
from support import shared

XSD = "{http://www.w3.org/2001/XMLSchema}"
#: The type of the schema, and what a field of it is: kind and scale.
KINDS = {
    "AMTTYPE": (Kind.DECIMAL, 2),
    "PRICETYPE": (Kind.DECIMAL, 5),
    "QUANTYPE": (Kind.DECIMAL, 5),
    "PERCENTTYPE": (Kind.DECIMAL, 5),
    "FLOATTYPE": (Kind.DECIMAL, 5),
    "BOOLTYPE": (Kind.BOOLEAN, 0),
    "INTTYPE": (Kind.INTEGER, 0),
    "DATETYPE": (Kind.DATE, 0),
    "DATETIMETYPE": (Kind.TIMESTAMP, 0),
}
Leaf = tuple[str, int | None]


class Schema:
    """Intuit's schema as far as it is needed here: the values below an element, with type and length."""

    def __init__(self) -> None:
        files = ("qbxml130_modified.xsd", "qbxmlops130.xsd")
        roots = [etree.parse(shared("wire", "qbxml-13.0", name)).getroot() for name in files]
        named = [node for root in reversed(roots) for node in root if isinstance(node.tag, str)]
        self.elements = {node.get("name", ""): node for node in named if node.tag == f"{XSD}element"}
        self.groups = {node.get("name", ""): node for node in named if node.tag == f"{XSD}group"}

    def leaves(self, element: str) -> dict[str, Leaf]:
        return dict(self._below(self.elements[element], ""))

    def _below(self, node: etree._Element, path: str) -> Iterator[tuple[str, Leaf]]:
        for child in node:
            if child.tag == f"{XSD}group":
                yield from self._below(self.groups[child.get("ref", "")], path)
            elif child.tag == f"{XSD}element":
                name = child.get("ref") or child.get("name") or ""
                real = self.elements[name] if child.get("ref") else child
                if real.get("type") or real.find(f"{XSD}simpleType") is not None:
                    yield path + name, self._leaf(real)
                elif name not in path.split("/"):
                    yield from self._below(real, f"{path}{name}/")
            elif isinstance(child.tag, str):
                yield from self._below(child, path)

    def _leaf(self, node: etree._Element) -> Leaf:
        length = node.find(f".//{XSD}maxLength")
        base = node.find(f".//{XSD}restriction")
        kind = node.get("type", "" if base is None else base.get("base", ""))
        longest = {"IDTYPE": 36}.get(kind)
        return kind, longest if length is None else int(length.get("value", "0"))


@pytest.fixture(scope="module")
def intuit() -> Schema:
    return Schema()


def paths(field: ListField) -> list[str]:
    return [path for path in field.at or (field.name.replace(".", "/"),) if path != OWN_NAME]


@pytest.mark.parametrize("name", sorted(QUERIES))
def test_every_field_stands_in_the_schema_with_its_type_and_length(intuit: Schema, name: str) -> None:
    known: dict[str, set[Leaf]] = {}
    for record in QUERIES[name].records:
        for path, leaf in intuit.leaves(record).items():
            known.setdefault(path, set()).add(leaf)
    for field in QUERIES[name].fields:
        for path in paths(field):
            assert path in known, f"{field.name}: {path}"
            for kind, longest in known[path]:
                expected = KINDS.get(kind, (Kind.TEXT, 0))
                assert field.kind is expected[0], f"{path} is {kind}"
                assert field.kind is not Kind.DECIMAL or field.scale == expected[1], f"{path} is {kind}"
                assert longest is None or (field.max_length or 0) >= longest, f"{path} has up to {longest} characters"


@pytest.mark.parametrize("stream", sorted(name for name, query in QUERIES.items() if query.lines))
def test_every_field_of_a_line_stands_in_the_schema_with_its_type_and_length(intuit: Schema, stream: str) -> None:
    query = QUERIES[stream]
    assert query.lines is not None
    leaves = intuit.leaves(query.records[0])
    for field in query.lines.fields:
        paths = [f"{tag}/{path}" for tag in query.lines.elements for path in field.at]
        known = [leaves[path] for path in paths if path in leaves]
        assert known, field.name
        for kind, _ in known:
            wanted = KINDS.get(kind, (Kind.TEXT, 0))
            assert field.kind is wanted[0], f"{field.name} is {kind}"
            assert field.kind is not Kind.DECIMAL or field.scale == wanted[1], f"{field.name} is {kind}"
        # A name may stand in two elements, and only one of them have a limit.
        limits = [longest for _, longest in known if longest is not None]
        assert field.max_length == (max(limits) if len(limits) == len(known) else None), field.name


def test_all_twelve_kinds_of_items_are_asked_for(intuit: Schema) -> None:
    response = next(
        node
        for node in etree.parse(shared("wire", "qbxml-13.0", "qbxmlops130.xsd")).getroot()
        if node.get("name") == "ItemQueryRsType"
    )
    kinds = {node.get("ref") for node in response.iter(f"{XSD}element")}
    assert kinds == set(QUERIES["items"].records)


@pytest.mark.parametrize(
    ("record", "elements"),
    [("SalesOrderAdd", HEADER), ("SalesOrderLineAdd", LINE), ("SalesOrderLineGroupAdd", GROUP)],
)
def test_the_elements_of_an_order_are_those_of_the_schema_in_its_order(
    intuit: Schema, record: str, elements: tuple[Element, ...]
) -> None:
    leaves = {
        path: leaf for path, leaf in intuit.leaves(record).items() if "Line" not in path and "DataExt" not in path
    }
    ours = [element for element in elements if hasattr(element, "path")]
    assert [element.path.replace(".", "/") for element in ours] == list(leaves)
    for element, (kind, longest) in zip(ours, leaves.values(), strict=True):
        column = element.target_column(1, line=False)
        assert column.kind is KINDS.get(kind, (Kind.TEXT, 0))[0], element.path
        assert column.kind is not Kind.DECIMAL or column.scale == KINDS[kind][1], element.path
        assert longest is None or column.max_length is None or column.max_length <= longest, element.path
