"""What docs/connect-orders-database.md tells to type is typed here, on the databases that it is about."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from mariadb import MariaDB
from orders_source import DEFAULT_COLUMNS, NOW, ORDERS, connection, execute, order, raised, read
from pages import blocks, cells, commands, page
from routebooks import app
from routebooks.connectors.base import WriteBack
from routebooks.connectors.pocketadvantage import order_rows, orders, orders_database
from routebooks.connectors.pocketadvantage.orders_database import address, is_tried, title
from routebooks.errors import ConfigError
from routebooks.mapping import templates
from routebooks.sandbox import orders_db
from routebooks.store.ledger import OrderState

DOC = page("connect-orders-database.md")
TOLD = ("sync_status", "quickbooks_id", "quickbooks_number", "sync_message")
ADDRESSES = dict(re.findall(r"^\| ([A-Z]\w+(?: Server)?) \| `([^`]+)`", DOC, re.MULTILINE))


def statements(title: str) -> list[str]:
    """The SQL under a heading, statement by statement."""
    return [line for block in blocks(DOC, title, "sql") for line in block.splitlines()]


def prepared(url: str, title: str) -> None:
    """A database with the example's tables, without a place for what is told; then what the page says to do there."""
    orders_db.create(url)
    execute(url, *(f"ALTER TABLE orders DROP COLUMN {column}" for column in TOLD))
    execute(url, *statements("A user of its own"), *statements(title))


@pytest.fixture
def postgresql(fresh_postgres: str) -> Iterator[str]:
    prepared(fresh_postgres, "PostgreSQL")
    place = sa.make_url(fresh_postgres)
    yield at(ADDRESSES["PostgreSQL"], place.set(host=None).update_query_dict(place.query))
    execute(fresh_postgres, "DROP OWNED BY routebooks", "DROP USER routebooks")


@pytest.fixture
def mariadb(mariadb_server: MariaDB) -> Iterator[str]:
    with mariadb_server.database("pocketadvantage") as url:
        prepared(url, "MariaDB and MySQL")
        yield at(ADDRESSES["MariaDB"], sa.make_url(url))
        execute(url, "DROP USER routebooks@'%'")


@pytest.fixture
def sqlite(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'orders.db'}"
    prepared(url, "SQLite")
    return url


def at(told: str, place: sa.URL) -> str:
    """The address of the page, at the server that there is."""
    url = sa.make_url(told)
    assert (url.username, url.password) == ("routebooks", "PASSWORD")
    database = url.database if place.get_backend_name() == "mysql" else place.database
    url = url.set(host=place.host, port=place.port, database=database, query=place.query)
    return url.render_as_string(hide_password=False)


@pytest.fixture(params=["postgresql", "mariadb", "sqlite"])
def url(request: pytest.FixtureRequest) -> str:
    """A database of each kind, set up as the page says, for the user that it says."""
    return str(request.getfixturevalue(request.param))


class Desk:
    """Somebody who types the page's commands in a folder of their own, for one database."""

    def __init__(self, url: str) -> None:
        self._url = url

    def types(self, *lines: str) -> str:
        """Run commands, which succeed; what the last one showed."""
        shown = ""
        for line in lines:
            words = shlex.split(line)[1:]
            assert words[0] in ("company", "connection", "flow")
            words = [re.sub(r"\$\(cat (\S+)\)", lambda found: Path(found[1]).read_text(), word) for word in words]
            if words[1] == "add" and words[-1] == "pocketadvantage_orders":
                words += ["url=-", "--secret-stdin"]
            done = CliRunner().invoke(app.build(), words, input=self._url)
            assert done.exit_code == 0, f"{line}\n{done.output}"
            assert "PASSWORD" not in done.output
            shown = done.output
        return shown


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROUTEBOOKS_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


def begun(url: str) -> Desk:
    desk = Desk(url)
    desk.types("routebooks company add Harbor --cust-id 4711")
    return desk


@pytest.mark.usefixtures("home")
def test_set_up_and_tested(url: str) -> None:
    add, test, *flow = commands(DOC, "Set it up")
    desk = begun(url)
    shown = desk.types(add, test)
    assert re.findall(r"^(\S+(?: \S+)?) +ok", shown, re.MULTILINE) == list(orders._STEPS)
    desk.types("routebooks connection add Harbor quickbooks quickbooks_desktop")
    desk.types("routebooks connection add Harbor files pocketadvantage drop=local root=/srv")
    desk.types(*flow)


def test_the_user_may_do_what_is_needed_and_no_more(url: str) -> None:
    assert read(url) == ([], None)
    assert ORDERS.write_back(connection(url), [WriteBack("A", "posted", "1-2", "7")]) == 1
    if not url.startswith("sqlite"):
        for statement in ("DELETE FROM orders WHERE order_no = :key", "UPDATE orders SET note = :status"):
            error = raised(
                lambda said=statement: ORDERS.write_back(connection(url, write_back=said), [WriteBack("A", "x")])
            )
            assert isinstance(error, ConfigError)
            assert re.search("denied", error.problem.detail)


@pytest.mark.usefixtures("home")
def test_every_other_command(sqlite: str) -> None:
    desk = begun(sqlite)
    add, test, *_ = commands(DOC, "Set it up")
    desk.types(add, test)
    desk.types(*commands(DOC, "Half orders, and orders that are taken back"), *commands(DOC, "Time zone"), test)
    one, none, external_id = commands(DOC, "What is told")
    desk.types(one, test)
    assert "No statement is set" in desk.types(none, test)
    query = blocks(DOC, "The query", "sql")[0].replace("o.updated_at,", "o.updated_at, o.quickbooks_id,", 1)
    Path("orders.sql").write_bytes(query.encode())
    desk.types(external_id, *commands(DOC, "The query"))


@pytest.mark.usefixtures("home")
def test_a_query_of_one_s_own(mariadb: str, mariadb_server: MariaDB) -> None:
    mariadb_server.run(
        "CREATE TABLE order_head (id INT PRIMARY KEY, `Order No` VARCHAR(20), account VARCHAR(20), day DATE,"
        " po VARCHAR(20), remark TEXT, changed DATETIME)",
        "CREATE TABLE order_line (id INT PRIMARY KEY, head_id INT, article VARCHAR(20), cases DECIMAL(9, 2))",
        "INSERT INTO order_head VALUES (1, 'W-1', '1042', '2026-11-24', NULL, NULL, '2026-11-24 17:00:00')",
        "INSERT INTO order_line VALUES (1, 1, 'GIN', 1.50), (2, 1, 'RUM', 2)",
        "GRANT SELECT ON pocketadvantage.* TO routebooks@'%'",
        database="pocketadvantage",
    )
    _, query = blocks(DOC, "The query", "sql")
    Path("orders.sql").write_bytes(query.encode())
    desk = begun(mariadb)
    shown = desk.types(commands(DOC, "Set it up")[0], *commands(DOC, "The query"))
    assert "order_no, customer_key" in shown
    ((found,), _) = ORDERS.read_orders(connection(mariadb, query=query), None, NOW)
    assert (found.key, [row["quantity"] for row in found.rows]) == ("W-1", ["1.50", "2.00"])
    assert mapped_columns() <= set(found.rows[0])


def mapped_columns() -> set[str]:
    """The columns that the map of the orders flow reads."""
    text = Path(templates.__file__).with_name("orders.yaml").read_text(encoding="utf-8")
    return set(re.findall(r"=\[(\w+)\]", text))


def test_the_columns_are_those_of_the_query_and_the_map() -> None:
    told = cells(DOC, "The query")
    assert set(told) == set(DEFAULT_COLUMNS)
    assert mapped_columns() <= set(told)


def test_the_statements_are_those_that_are_set_at_first() -> None:
    assert blocks(DOC, "The query", "sql")[0].strip() == orders._QUERY
    assert [block.strip() for block in blocks(DOC, "What is told", "sql")] == [orders._WRITE_BACK]
    assert {name[1:] for name in cells(DOC, "What is told")} == orders._WRITE_PARAMETERS
    states = {OrderState.POSTED, OrderState.HELD, OrderState.REFUSED, OrderState.DROPPED, OrderState.VANISHED}
    assert set(cells(DOC, "What is told", 1)) == {state.value for state in states}


def test_every_setting_is_told_with_what_it_is_at_first() -> None:
    told: dict[str, str] = {}
    table = DOC.split("## All settings")[1]
    for names, first in re.findall(r"^\| (`[a-z_`, ]+`) \| ?([^|]*?) ?\|", table, re.MULTILINE):
        told |= dict.fromkeys(re.findall(r"\w+", names), first.strip("`"))
    declared = {setting.name: str(setting.default or "") for setting in ORDERS.settings}
    assert told == declared | dict.fromkeys(["query", "write_back"], "as above")


def test_every_error_and_step_is_told() -> None:
    sources = [
        Path(module.__file__ or "").read_text(encoding="utf-8") for module in (orders, orders_database, order_rows)
    ]
    codes = {code for source in sources for code in re.findall(r'"(orders?-[a-z-]+)"', source)}
    assert set(cells(DOC, "Usual errors")) == codes
    rows = re.findall(r"^\| ([a-z ]+) \|", DOC.split("## The test, step by step")[1].split("## ")[0], re.MULTILINE)
    assert rows == ["step", *orders._STEPS]


def test_every_address_is_read_as_the_kind_that_it_is() -> None:
    assert list(ADDRESSES) == ["PostgreSQL", "MariaDB", "MySQL", "SQL Server", "SQLite"]
    for kind, told in ADDRESSES.items():
        url = address(told)
        assert kind in title(url)
        row = next(line for line in DOC.splitlines() if line.startswith(f"| {kind} |"))
        assert is_tried(url) or "**not tried**" in row
    assert address(cells(DOC, "Which kind", 1)[-1]).database == "/srv/orders.db"


def test_signs_of_a_password_are_written_as_told() -> None:
    pairs = re.findall(r"`(.)`\s+as\s+`(%..)`", DOC)
    assert len(pairs) == 6
    for sign, written in pairs:
        assert quote(sign, safe="") == written
        assert address(f"mariadb://u:{written}@h/d").password == sign


def test_an_answer_is_checked_as_told(mariadb: str, mariadb_server: MariaDB) -> None:
    (option,) = re.findall(r"`\?(ssl_ca=)/etc/office.pem` \(MariaDB\)", DOC)
    assert read(f"{mariadb}?{option}{mariadb_server.authority}") == ([], None)


def test_timestamps_of_mariadb_in_utc(mariadb: str, mariadb_server: MariaDB) -> None:
    (option,) = re.findall(r"`\?(init_command=[^`]+)`", DOC)
    mariadb_server.run(
        "CREATE TABLE t (order_no INT, updated_at TIMESTAMP)",
        "SET time_zone = '-05:00'",
        "INSERT INTO t VALUES (1, '2026-11-24 12:00:00')",
        "GRANT SELECT ON pocketadvantage.* TO routebooks@'%'",
        "SET GLOBAL time_zone = '-05:00'",
        database="pocketadvantage",
    )
    try:
        query = "SELECT * FROM t WHERE updated_at >= :since AND updated_at <= :until"
        for url, changed in ((f"{mariadb}?{option}", {}), (mariadb, {"time_zone": "America/New_York"})):
            ((found,), _) = ORDERS.read_orders(connection(url, query=query, **changed), None, NOW)
            assert found.stamp.hour == 17
    finally:
        mariadb_server.run("SET GLOBAL time_zone = 'SYSTEM'")


def test_a_stamp_that_the_write_back_sets_does_no_harm(sqlite: str) -> None:
    orders_db.add_orders(sqlite, [order("A")], NOW)
    said = connection(sqlite, write_back="UPDATE orders SET updated_at = '2026-11-24 17:30:00' WHERE order_no = :key")
    found, cursor = ORDERS.read_orders(said, None, NOW.replace(hour=19))
    ORDERS.write_back(said, [WriteBack("A", "posted")])
    again, _ = ORDERS.read_orders(said, cursor, NOW.replace(hour=19))
    assert [each.key for each in found] == [each.key for each in again] == ["A"]
