"""PocketAdvantage as the engine sees it: settings, names, bytes, and real deliveries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from drops import deliver
from file_bytes import encode_for
from routebooks.connectors.base import Company, Connection, Connector, Fetching, FileTarget, Marking
from routebooks.connectors.filedrop.local import LocalDrop
from routebooks.connectors.pocketadvantage.files import PocketAdvantageFiles, dialect
from routebooks.connectors.pocketadvantage.layouts import shipped_layouts
from routebooks.errors import ConfigError, TransientError
from routebooks.sandbox.servers import SandboxFtpServer

PASSWORD = "open sesame"
FILES = PocketAdvantageFiles()
ROWS = pa.table({"Company ID": ["77", "77"], "Customer ID": ["A", "B"], "Trade Name": ["Bar", "Café"]})


def connection(cust_id: str = "4711", **settings: Any) -> Connection:
    defaults = {setting.name: setting.default for setting in FILES.settings if not setting.secret}
    return Connection(
        id=1,
        name="PocketAdvantage",
        connector="pocketadvantage",
        company=Company(id=1, name="North Wind Beverage", cust_id=cust_id, time_zone="America/Chicago"),
        settings=defaults | settings,
        secrets={"password": PASSWORD},
    )


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SandboxFtpServer]:
    with SandboxFtpServer(tmp_path / "ftp", password=PASSWORD) as started:
        yield started


def test_it_is_a_connector_and_a_file_target() -> None:
    assert isinstance(FILES, Connector)
    assert isinstance(FILES, FileTarget)
    assert isinstance(FILES, Fetching)
    assert isinstance(FILES, Marking)
    assert FILES.name == "pocketadvantage"
    assert list(FILES.layouts()) == ["customer", "item", "invoice", "detail"]


def test_settings_that_nobody_publishes_are_named_as_assumed() -> None:
    assert {setting.name for setting in FILES.settings if setting.assumed} == {
        *("item_file", "temporary", "encoding", "line_end", "last_line_end", "header", "quoting", "date_format"),
        *("decimals", "money_decimals", "true_text", "false_text"),
        *("invoice_file", "detail_file", "taken_files_vanish", "done_file"),
        *("item_layout", "invoice_layout", "detail_layout"),
    }
    assert [setting.name for setting in FILES.settings if setting.secret] == ["password", "private_key", "passphrase"]
    assert all(setting.help and setting.default is not None for setting in FILES.settings)
    assert all(setting.default in setting.choices for setting in FILES.settings if setting.choices)


@pytest.mark.parametrize(
    ("settings", "layout", "expected"),
    [
        ({}, "customer", ("latest4711", "customer.fil")),
        ({}, "item", ("latest4711", "item.fil")),
        ({}, "invoice", ("latest4711", "invoice.fil")),
        ({}, "detail", ("latest4711", "detail.fil")),
        ({"invoice_file": "transact.fil", "done_file": "done"}, "invoice", ("latest4711", "transact.fil")),
        ({"customer_file": "CUSTOMER.FIL"}, "customer", ("latest4711", "CUSTOMER.FIL")),
        ({"folder": "/in/{cust_id}/files/"}, "customer", ("/in/4711/files/", "customer.fil")),
        ({"folder": ""}, "customer", ("", "customer.fil")),
    ],
)
def test_folder_and_name_follow_the_settings(settings: dict[str, str], layout: str, expected: tuple[str, str]) -> None:
    assert FILES.file_name(connection(**settings), layout) == expected


@pytest.mark.parametrize(
    "cust_id", ["", "..", "../4712", "a/b", "a\\b", ".", " ", "4711\n", "4711 ", "{cust_id}", "c:"]
)
def test_a_cust_id_never_leads_to_another_folder(cust_id: str) -> None:
    with pytest.raises(ConfigError, match="cannot be a cust_id"):
        FILES.file_name(connection(cust_id), "customer")


@pytest.mark.parametrize(
    "settings",
    [
        {"folder": "../{cust_id}"},
        {"folder": "a//b"},
        {"folder": "a/{cust}"},
        {"customer_file": "a/customer.fil"},
        {"customer_file": ".."},
        {"customer_file": ""},
        {"done_file": "../done"},
        {"done_file": "Customer.fil"},
        {"invoice_file": "ITEM.FIL"},
    ],
)
def test_a_folder_or_name_that_leads_elsewhere_is_refused(settings: dict[str, str]) -> None:
    with pytest.raises(ConfigError):
        FILES.file_name(connection(**settings), "customer")
    (line,) = FILES.check(connection(drop="local", root=".", **settings))
    assert (line.name, line.ok, bool(line.hint)) == ("settings", False, True)


def test_a_layout_that_there_is_not_is_told() -> None:
    with pytest.raises(ConfigError, match="no layout 'vendor'") as caught:
        FILES.file_name(connection(), "vendor")
    assert "customer, item, invoice, detail" in caught.value.problem.hint


def test_the_settings_reach_the_bytes() -> None:
    settings: dict[str, Any] = {
        "encoding": "utf-8",
        "line_end": "lf",
        "header": True,
        "last_line_end": False,
        "quoting": "texts",
    }
    made = encode_for(connection(**settings), "customer", ROWS)
    lines = made.data.decode("utf-8").split("\n")
    assert lines[0].startswith("Company ID\tCustomer ID\tTrade Name\t")
    assert lines[2].startswith('"77"\t"B"\t"Café"\t')
    assert (len(lines), made.records) == (3, 2)
    names, rows = FILES.decode(connection(**settings), "customer", made.data)
    assert (len(names), [row[:3] for row in rows]) == (42, [["77", "A", "Bar"], ["77", "B", "Café"]])


def test_the_dialect_has_the_zone_of_the_company() -> None:
    told = dialect(
        connection(decimals="trimmed", money_decimals=3, true_text="1", false_text="0", date_format="%Y%m%d")
    )
    assert (told.time_zone, told.trim_decimals, told.money_decimals) == ("America/Chicago", True, 3)
    assert (told.true_text, told.false_text, told.date_format, told.line_end) == ("1", "0", "%Y%m%d", "\r\n")


@pytest.mark.parametrize(
    "settings",
    [
        {"true_text": "✓"},
        {"false_text": "N\t"},
        {"money_decimals": 7},
        {"money_decimals": -1},
        {"date_format": "mm/dd"},
    ],
)
def test_a_setting_that_cannot_be_written_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        encode_for(connection(**settings), "customer", ROWS)
    (line,) = FILES.check(connection(drop="local", root=".", **settings))
    assert (line.name, line.ok, bool(line.hint)) == ("settings", False, True)


@pytest.mark.parametrize("temporary", ["suffix", "folder"])
def test_a_file_is_delivered_by_ftp(server: SandboxFtpServer, temporary: str) -> None:
    host, port = server.address
    by_ftp = connection(host=f" {host} ", port=port, user="routebooks", timeout=10, temporary=temporary)
    made = encode_for(by_ftp, "customer", ROWS)
    for _ in range(2):
        placed = deliver(by_ftp, "customer", made.data)
        assert (placed.address, placed.size) == (f"ftp://{host}:{port}/latest4711/customer.fil", len(made.data))
        delivered = [path for path in server.root.rglob("*") if path.is_file()]
        assert [path.relative_to(server.root).as_posix() for path in delivered] == ["latest4711/customer.fil"]
        assert delivered[0].read_bytes() == made.data
    assert [line.ok for line in FILES.check(by_ftp)] == [True] * 6


def test_a_file_is_delivered_to_a_folder(tmp_path: Path) -> None:
    local = connection(drop="local", root=str(tmp_path))
    placed = deliver(local, "item", b"bytes")
    assert Path(placed.address) == tmp_path / "latest4711" / "item.fil"
    assert Path(placed.address).read_bytes() == b"bytes"
    assert [line.ok for line in FILES.check(local)] == [True] * 6


@pytest.mark.parametrize(
    "settings",
    [{}, {"drop": "local"}, {"folder": ".."}],
)
def test_a_connection_that_lacks_something_is_told_by_its_test(settings: dict[str, Any]) -> None:
    (line,) = FILES.check(connection(**settings))
    assert (line.name, line.ok, bool(line.hint)) == ("settings", False, True)
    with pytest.raises(ConfigError):
        deliver(connection(**settings), "customer", b"")


@pytest.fixture(params=["local", "ftp", "ftp without size"])
def place(request: pytest.FixtureRequest, server: SandboxFtpServer) -> dict[str, Any]:
    """Settings that lead to the server's folder, by FTP or straight."""
    if request.param == "local":
        return {"drop": "local", "root": str(server.root)}
    server.no_size = request.param == "ftp without size"
    host, port = server.address
    return {"host": host, "port": port, "user": "routebooks", "timeout": 10}


def test_a_file_is_read_back_until_somebody_takes_it(place: dict[str, Any], server: SandboxFtpServer) -> None:
    target = connection(**place)
    assert FILES.fetch(target, "invoice") is None
    for data in (b"one\r\n\x80", b""):
        deliver(target, "invoice", data)
        assert FILES.fetch(target, "invoice") == data
    assert FILES.fetch(target, "item") is None
    (server.root / "latest4711" / "invoice.fil").unlink()
    assert FILES.fetch(target, "invoice") is None


def test_what_cannot_be_read_back_is_not_taken_for_gone(tmp_path: Path) -> None:
    (tmp_path / "latest4711" / "invoice.fil").mkdir(parents=True)
    with pytest.raises(ConfigError):
        FILES.fetch(connection(drop="local", root=str(tmp_path)), "invoice")
    with pytest.raises(ConfigError, match="no folder"):
        FILES.fetch(connection(drop="local", root=str(tmp_path / "unmounted")), "invoice")


@pytest.mark.parametrize("temporary", ["suffix", "folder"])
def test_the_marker_lies_there_when_all_files_do_and_not_while_they_change(
    place: dict[str, Any], server: SandboxFtpServer, temporary: str
) -> None:
    target = connection(**place, done_file="done.txt", temporary=temporary)
    for _ in range(2):
        for layout in ("detail", "customer"):
            deliver(target, layout, b"night")
            assert "done.txt" not in names(server)
        for _ in range(2):
            FILES.mark_done(target)
            assert names(server) == {"detail.fil", "customer.fil", "done.txt"}
            assert (server.root / "latest4711" / "done.txt").read_bytes() == b""


def test_no_marker_is_made_unless_it_has_a_name(place: dict[str, Any], server: SandboxFtpServer) -> None:
    deliver(connection(**place), "customer", b"night")
    FILES.mark_done(connection(**place))
    assert names(server) == {"customer.fil"}


def names(server: SandboxFtpServer) -> set[str]:
    """The files that a receiver sees."""
    return {path.name for path in (server.root / "latest4711").iterdir() if path.is_file()}


OWN_CUSTOMER = """
name: customer
file: customer.fil
columns:
  - {position: 1, name: Trade Name}
  - {position: 2, name: Customer ID, key: true}
"""


def test_a_layout_of_ones_own_takes_the_place_of_ours() -> None:
    own = connection(customer_layout=OWN_CUSTOMER, invoice_layout=" \n")
    layouts = FILES.layouts(own)
    assert [column.name for column in layouts["customer"].columns] == ["Trade Name", "Customer ID"]
    assert {name: layouts[name] for name in ("item", "invoice", "detail")} == {
        name: shipped_layouts()[name] for name in ("item", "invoice", "detail")
    }
    assert FILES.layouts() == FILES.layouts(connection()) == shipped_layouts()
    made = encode_for(own, "customer", ROWS.select(["Customer ID", "Trade Name"]))
    assert made.data == b"Bar\tA\r\nCaf\xe9\tB\r\n"
    assert FILES.decode(own, "customer", made.data) == (("Trade Name", "Customer ID"), [["Bar", "A"], ["Café", "B"]])


@pytest.mark.parametrize(
    ("layout", "text", "says"),
    [
        ("customer", "columns: [", "customer_layout: The layout cannot be used: it is not YAML"),
        ("item", OWN_CUSTOMER, "it is set for item and has the name 'customer'"),
        ("detail", OWN_CUSTOMER.replace("name: customer", "name: detail"), "detail has no column 'Detail #'"),
    ],
)
def test_a_layout_of_ones_own_that_cannot_be_used_is_told(layout: str, text: str, says: str) -> None:
    own = connection(drop="local", root=".", **{f"{layout}_layout": text})
    with pytest.raises(ConfigError, match=says) as caught:
        FILES.layouts(own)
    assert caught.value.problem.hint
    (line,) = FILES.check(own)
    assert (line.name, line.ok) == ("settings", False)
    assert says in line.message


def test_a_wrong_password_is_never_shown(server: SandboxFtpServer) -> None:
    host, port = server.address
    right = connection(host=host, port=port, user="routebooks", timeout=10)
    wrong = replace(right, secrets={"password": "wrong horse"})
    lines = FILES.check(wrong)
    assert [line.name for line in lines if not line.ok] == ["log in"]
    assert "wrong horse" not in repr((lines, wrong))


def test_a_file_is_read_back_where_the_connection_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LocalDrop, "read", lambda *_: b"something else")
    deliver(connection(drop="local", root=str(tmp_path)), "item", b"bytes")
    thorough = connection(drop="local", root=str(tmp_path), read_back=True)
    with pytest.raises(TransientError, match="did not arrive"):
        deliver(thorough, "item", b"other bytes")
    assert (tmp_path / "latest4711" / "item.fil").read_bytes() == b"bytes"
    assert [line.name for line in FILES.check(thorough) if not line.ok] == ["write"]
