"""Exactly once, as the table of the reference has it, and against a model of it."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from lxml import etree

from sandbox_support import Office, furnish, message, order, values


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path / "company.sqlite")
    furnish(made.company)
    yield made
    made.company.close()


def _attributes(node: etree._Element) -> dict[str, str]:
    return {str(name): str(value) for name, value in node.attrib.items()}


def _count(office: Office) -> int:
    return len(office.company.sales_orders())


def test_the_first_time_is_executed_and_remembered(office: Office) -> None:
    first = office.send(order(), newMessageSetID="A")
    assert _attributes(first) == {"newMessageSetID": "A", "messageSetStatusCode": "0"}
    again = office.send(order(), newMessageSetID="A")
    assert _attributes(again) == _attributes(first)
    assert [node.tag for node in again[0]] == ["ErrorRecovery"]
    for name in ("TxnID", "TxnNumber", "EditSequence"):
        assert again.findtext(f"SalesOrderAddRs/ErrorRecovery/{name}") == first.findtext(f".//{name}")
    assert _attributes(again[0]) == _attributes(first[0])
    assert _count(office) == 1


def test_it_is_remembered_over_sessions_and_kills(office: Office) -> None:
    office.send(order(), newMessageSetID="A")
    office.reopen()
    assert office.send(order(), newMessageSetID="A").findtext(".//TxnID") == office.company.sales_orders()[0]["TxnID"]
    assert _count(office) == 1


def test_a_refusal_is_remembered_as_well(office: Office) -> None:
    office.company.fail_next(3180)
    statuses = [office.ask(order(), newMessageSetID="A").get("statusCode") for _ in range(2)]
    assert statuses == ["3180", "3180"]
    assert _count(office) == 0
    assert office.ask(order(), newMessageSetID="B").get("statusCode") == "0"


def test_other_content_under_the_same_id_is_refused(office: Office) -> None:
    office.send(order(), newMessageSetID="A")
    other = office.send(order(header="<Memo>other</Memo>"), newMessageSetID="A")
    assert (other.get("messageSetStatusCode"), len(other)) == ("9001", 0)
    # Byte by byte: white space alone makes other content.
    assert office.send(order(), " ", newMessageSetID="A").get("messageSetStatusCode") == "9001"
    assert _count(office) == 1


@pytest.mark.parametrize("body", [(), (order(),)])
def test_both_ids_alike_ask_for_the_status_only(office: Office, body: tuple[str, ...]) -> None:
    unknown = office.send(*body, newMessageSetID="A", oldMessageSetID="A")
    assert (unknown.get("messageSetStatusCode"), len(unknown), _count(office)) == ("9002", 0, 0)
    office.send(order(), newMessageSetID="A")
    known = office.send(*body, newMessageSetID="A", oldMessageSetID="A")
    assert (known.get("messageSetStatusCode"), known[0].get("statusCode"), _count(office)) == ("0", "0", 1)
    assert known.findtext(".//ErrorRecovery/TxnID") == office.company.sales_orders()[0]["TxnID"]


def test_an_old_id_alone_clears(office: Office) -> None:
    office.send(order(), newMessageSetID="A")
    assert _attributes(office.send(oldMessageSetID="A")) == {"messageSetStatusCode": "0"}
    assert office.send(oldMessageSetID="A").get("messageSetStatusCode") == "600"
    assert office.send(newMessageSetID="A", oldMessageSetID="A").get("messageSetStatusCode") == "9002"


def test_clearing_may_ride_on_a_query_or_on_the_next_set(office: Office) -> None:
    office.send(order(), newMessageSetID="A")
    query = office.send("<HostQueryRq/>", oldMessageSetID="A")
    assert (query.get("messageSetStatusCode"), query[0].tag) == ("0", "HostQueryRs")
    office.send(order(), newMessageSetID="A")
    office.send(order(), newMessageSetID="B", oldMessageSetID="A")
    assert office.send(newMessageSetID="A", oldMessageSetID="A").get("messageSetStatusCode") == "9002"
    assert office.send(newMessageSetID="B", oldMessageSetID="B").get("messageSetStatusCode") == "0"
    assert office.send(order(), newMessageSetID="B", oldMessageSetID="A")[0][0].tag == "ErrorRecovery"
    assert _count(office) == 3


def test_an_unknown_old_id_does_not_hinder_a_new_one(office: Office) -> None:
    assert office.send(order(), newMessageSetID="B", oldMessageSetID="A").get("messageSetStatusCode") == "0"
    assert _count(office) == 1


def test_without_ids_nothing_is_remembered(office: Office) -> None:
    for _ in range(2):
        assert _attributes(office.send(order())) == {}
    assert _count(office) == 2


def test_ids_have_24_characters_at_most(office: Office) -> None:
    assert office.send(order(), newMessageSetID="x" * 24).get("messageSetStatusCode") == "0"
    for attributes in ({"newMessageSetID": "x" * 25}, {"newMessageSetID": "A", "oldMessageSetID": "x" * 25}):
        answer = office.send(order(), **attributes)
        assert (answer.get("messageSetStatusCode"), len(answer)) == ("9004", 0)
    assert _count(office) == 1


def test_a_set_that_is_thrown_back_leaves_nothing_behind(office: Office) -> None:
    raw = message(order(), "<Nonsense/>", newMessageSetID="A")
    with pytest.raises(Exception, match="0x80040400"):
        office.company.process(office.session, raw)
    assert _count(office) == 0
    assert office.send(order(), newMessageSetID="A")[0][0].tag == "SalesOrderRet"


def test_a_replay_tells_every_request_of_the_set(office: Office) -> None:
    customer = "<CustomerAddRq><CustomerAdd><Name>Heron Bay Inn</Name></CustomerAdd></CustomerAddRq>"
    body = (customer, "<VendorQueryRq/>", order(customer="Nobody"), order())
    first = office.send(*body, newMessageSetID="A")
    again = office.send(*body, newMessageSetID="A")
    assert [one.get("statusCode") for one in again] == ["0", "0", "3140", "3231"]
    assert [_attributes(one) for one in again] == [_attributes(one) for one in first]
    assert [[node.tag for node in one] for one in again] == [["ErrorRecovery"], [], [], []]
    assert again.findtext(".//ErrorRecovery/ListID") == office.company.customers()[-1]["ListID"]


def test_all_can_be_forgotten(office: Office) -> None:
    office.send(order(), newMessageSetID="A")
    office.company.forget_message_sets()
    assert office.send(newMessageSetID="A", oldMessageSetID="A").get("messageSetStatusCode") == "9002"


class Sending(RuleBasedStateMachine):
    """Sets sent, sent again, cleared and asked for in any order, with kills and restored backups between them."""

    ids = st.sampled_from("ABC")

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self._path = Path(self._folder.name)
        self.office = Office(self._path / "company.sqlite")
        furnish(self.office.company)
        self.kept: dict[str, str] = {}
        self.made: Counter[str] = Counter()
        self.backup: tuple[dict[str, str], Counter[str]] | None = None

    def teardown(self) -> None:
        self.office.company.close()
        self._folder.cleanup()

    def _send(self, set_id: str, content: str, old_id: str | None = None) -> etree._Element:
        attributes = {"newMessageSetID": set_id} | ({"oldMessageSetID": old_id} if old_id else {})
        return self.office.send(order(header=f"<Other>{set_id}{content}</Other>"), **attributes)

    @rule(set_id=ids, content=st.sampled_from("xy"), cleared=st.none() | ids)
    def send(self, set_id: str, content: str, cleared: str | None) -> None:
        answer = self._send(set_id, content, cleared)
        code, key = answer.get("messageSetStatusCode"), f"{content} {cleared}"
        if set_id == cleared:
            assert code == ("0" if set_id in self.kept else "9002")
        elif set_id not in self.kept:
            assert (code, answer[0][0].tag) == ("0", "SalesOrderRet")
            self.kept.pop(cleared or "", None)
            self.kept[set_id] = key
            self.made[f"{set_id}{content}"] += 1
        elif self.kept[set_id] == key:
            assert (code, answer[0][0].tag) == ("0", "ErrorRecovery")
        else:
            assert (code, len(answer)) == ("9001", 0)

    @rule(set_id=ids)
    def clear(self, set_id: str) -> None:
        code = self.office.send(oldMessageSetID=set_id).get("messageSetStatusCode")
        assert code == ("0" if self.kept.pop(set_id, None) else "600")

    @rule(set_id=ids)
    def ask(self, set_id: str) -> None:
        code = self.office.send(newMessageSetID=set_id, oldMessageSetID=set_id).get("messageSetStatusCode")
        assert code == ("0" if set_id in self.kept else "9002")

    @rule()
    def kill(self) -> None:
        self.office.reopen()

    @rule()
    def back_up(self) -> None:
        self.office.company.backup(self._path / "backup")
        self.backup = (dict(self.kept), self.made.copy())

    @rule()
    def restore(self) -> None:
        if self.backup:
            self.office.company.restore(self._path / "backup")
            self.office.session = self.office.company.open_session()
            self.kept, self.made = dict(self.backup[0]), self.backup[1].copy()

    @invariant()
    def every_set_made_its_order_once(self) -> None:
        assert Counter(one["Other"] for one in self.office.company.sales_orders()) == self.made

    @invariant()
    def every_answer_kept_names_an_order(self) -> None:
        known = {one["TxnID"] for one in self.office.company.sales_orders()}
        for set_id in self.kept:
            answer = self.office.send(newMessageSetID=set_id, oldMessageSetID=set_id)
            assert set(values(answer, ".//TxnID")) <= known


TestSending = Sending.TestCase
TestSending.settings = settings(deadline=None, max_examples=20, stateful_step_count=20)
