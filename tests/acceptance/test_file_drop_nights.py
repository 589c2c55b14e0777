"""Nights at a real place for files: what was not taken goes again, when the marker lies there, what is held, resent.

Each test has a whole installation with a server, and a receiver that looks at the folder and takes files from it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from installation import Installation, Make
from routebooks.connectors.pocketadvantage.layouts import shipped_layouts
from routebooks.sandbox.company import SandboxCompany
from routebooks.store import deliveries
from routebooks.store import runs as run_store
from routebooks.store.runs import State

NAMES = tuple(column.name for column in shipped_layouts()["invoice"].columns)


def fill(company: SandboxCompany) -> None:
    """Ten customers and four items, and no sale yet."""
    with company.transaction():
        for number in range(10):
            company.add("Customer", Name=f"Bar {number}", AccountNumber=f"10{number}")
        for name in ("ALE", "GIN", "RUM", "RYE"):
            company.add("ItemInventory", Name=name, SalesPrice="10.00")


@dataclass
class Receiver:
    """PocketAdvantage's side of the folder."""

    folder: Path
    taken: list[bytes] = field(default_factory=list)

    def names(self) -> set[str]:
        """The files that lie there."""
        return {path.name for path in self.folder.iterdir() if path.is_file()}

    def look(self, name: str = "invoice.fil") -> bytes:
        """A file, left where it is."""
        return (self.folder / name).read_bytes()

    def take(self) -> None:
        """Take the invoice file away."""
        self.taken.append(self.look())
        (self.folder / "invoice.fil").unlink()


Office = tuple[Installation, Receiver]
Open = Callable[..., Office]


@pytest.fixture(params=["ftp", "local"])
def office(request: pytest.FixtureRequest, installed: Make, tmp_path: Path) -> Open:
    """Makes an installation that delivers to either kind of place, and the receiver there; `files` are settings."""

    def make(**files: str) -> Office:
        if request.param == "ftp":
            installation = installed(fill, quickbooks={"plain_unit": "bottle"}, files=files)
            return installation, Receiver(installation.world.ftp_root / "latest4711")
        (tmp_path / "share").mkdir()
        place = {"drop": "local", "root": str(tmp_path / "share")}
        installation = installed(fill, quickbooks={"plain_unit": "bottle"}, files={**place, **files})
        return installation, Receiver(tmp_path / "share" / "latest4711")

    return make


def vanishing(installed: Make) -> Office:
    """An installation with a receiver that takes files away."""
    installation = installed(fill, quickbooks={"plain_unit": "bottle"}, files={"taken_files_vanish": "true"})
    return installation, Receiver(installation.world.ftp_root / "latest4711")


def night(installation: Installation, *names: str) -> dict[str, tuple[State, int]]:
    """A night of some flows: how each run ended, and the number of its file."""
    made = installation.ask(*names)
    installation.until_called_for(made)
    assert installation.connector().update().last_error == ""
    installation.until_ended(made)
    return dict(zip(names, [outcome(installation, run_id) for run_id in made], strict=True))


def outcome(installation: Installation, run_id: int) -> tuple[State, int]:
    with installation.ctx.store.read() as tx:
        delivery = deliveries.delivery_of_run(tx, run_id)
    return installation.run(run_id).state, delivery.id if delivery else 0


def invoices(installation: Installation) -> None:
    """A night of the invoices that ends well."""
    state, _ = night(installation, "invoices")["invoices"]
    assert state is State.DONE


def lines(data: bytes) -> Counter[tuple[str, str, str, str]]:
    """Number, line, bottles and status of each line of an invoice file."""
    rows = [dict(zip(NAMES, row.split("\t"), strict=True)) for row in data.decode("cp1252").split("\r\n")[:-1]]
    said = ("Invoice Number", "Line Number", "Bottles", "Status")
    return Counter(tuple(row[name] for name in said) for row in rows)  # type: ignore[misc]


def sell(company: SandboxCompany, number: str, *quantities: int) -> str:
    """An invoice with a line of each of some quantities."""
    items = ("ALE", "GIN", "RUM", "RYE")
    sold = [{"ItemRef": item, "Quantity": each} for item, each in zip(items, quantities, strict=False)]
    return company.add_invoice("Bar 1", sold, ref_number=number)


def in_quickbooks(company: SandboxCompany) -> Counter[tuple[str, str, str, str]]:
    """Every line of every invoice, as `lines` tells it."""
    return Counter(
        (invoice["RefNumber"], str(number), f"{line['Quantity']}.00000", "A")
        for invoice in company.invoices()
        for number, line in enumerate(invoice["lines"], start=1)
    )


def test_what_was_not_taken_goes_again_and_nothing_is_lost_or_double(office: Open) -> None:
    installation, receiver = office(taken_files_vanish="true")
    company = installation.world.company
    changed = sell(company, "1", 1)
    sell(company, "2", 2, 3)
    invoices(installation)
    first = receiver.look()
    assert lines(first) == in_quickbooks(company)

    # It still lies there: tonight's file carries both nights, an invoice of both as it is now.
    (line,) = (each for invoice in company.invoices() if invoice["TxnID"] == changed for each in invoice["lines"])
    company.update_transaction(changed, lines=[{"TxnLineID": line["TxnLineID"], "Quantity": 7}])
    sell(company, "3", 4)
    invoices(installation)
    assert lines(receiver.look()) == in_quickbooks(company)
    assert lines(receiver.look())["1", "1", "7.00000", "A"] == 1

    # A quiet night leaves it.
    both = receiver.look()
    invoices(installation)
    assert receiver.look() == both
    receiver.take()

    # Taken: a night right after it brings nothing back, and the next file is that night's alone.
    invoices(installation)
    assert "invoice.fil" not in receiver.names()
    deleted = sell(company, "4", 5)
    invoices(installation)
    assert lines(receiver.look()) == Counter({("4", "1", "5.00000", "A"): 1})
    assert sum((lines(data) for data in [*receiver.taken, receiver.look()]), Counter()) == in_quickbooks(company)

    # Not taken, and deleted since: told once, as deleted.
    company.delete(deleted)
    sell(company, "5", 6)
    invoices(installation)
    assert lines(receiver.look()) == Counter({("4", "1", "0.00000", "D"): 1, ("5", "1", "6.00000", "A"): 1})
    receiver.take()
    taken = sum((lines(data) for data in receiver.taken), Counter())
    assert taken == in_quickbooks(company) + Counter({("4", "1", "0.00000", "D"): 1})


def test_a_file_that_is_not_as_it_was_delivered_counts_as_taken(installed: Make) -> None:
    installation, receiver = vanishing(installed)
    ways: list[Callable[[bytes], bytes]] = [lambda data: data[: len(data) // 2], lambda data: data * 2]
    for number, spoilt in enumerate(ways):
        sell(installation.world.company, f"{number}", 1, 2)
        invoices(installation)
        (receiver.folder / "invoice.fil").write_bytes(spoilt(receiver.look()))
        sell(installation.world.company, f"{number} new", 3)
        invoices(installation)
        assert lines(receiver.look()) == Counter({(f"{number} new", "1", "3.00000", "A"): 1})
        receiver.take()


def test_an_old_file_that_is_sent_again_waits_until_the_last_one_was_taken(installed: Make) -> None:
    installation, receiver = vanishing(installed)
    sell(installation.world.company, "1", 1)
    _, old = night(installation, "invoices")["invoices"]
    receiver.take()
    sell(installation.world.company, "2", 2)
    invoices(installation)
    last = receiver.look()

    run_id = json.loads(installation.command("file", "resend", str(old), "--json").stdout)["run"]
    installation.until([run_id], lambda run: run.problem is not None)
    waiting = installation.run(run_id)
    assert waiting.state is State.READY
    assert "was not taken yet" in waiting.waits_for
    assert receiver.look() == last

    receiver.take()
    with installation.ctx.store.begin() as tx:
        run_store.change_run(tx, run_id, not_before=installation.ctx.now())
    installation.until_ended([run_id])
    assert installation.run(run_id).state is State.DONE
    receiver.take()
    assert receiver.taken == [receiver.taken[0], last, receiver.taken[0]]


def test_where_files_stay_the_next_one_takes_the_place_of_the_last(installed: Make) -> None:
    installation = installed(fill, quickbooks={"plain_unit": "bottle"})
    for number in ("1", "2"):
        sell(installation.world.company, number, 1)
        invoices(installation)
        assert lines(installation.file("invoice.fil")) == Counter({(number, "1", "1.00000", "A"): 1})


FILES = {"codes": "detail.fil", "items": "item.fil", "customers": "customer.fil", "invoices": "invoice.fil"}


def test_the_marker_lies_there_when_all_files_of_the_night_do(office: Open) -> None:
    installation, receiver = office(done_file="done.txt")
    company = installation.world.company
    sell(company, "1", 1)
    assert {state for state, _ in night(installation, *FILES).values()} == {State.DONE}
    assert receiver.names() == {*FILES.values(), "done.txt"}
    marker = receiver.folder / "done.txt"
    assert marker.stat().st_mtime_ns >= max((receiver.folder / name).stat().st_mtime_ns for name in FILES.values())
    assert marker.read_bytes() == b""

    # One of them is held: what lies there is not the whole night, and the marker of the last one is gone.
    remove(company, "Customer", *(f"Bar {number}" for number in range(2, 10)))
    sell(company, "2", 1)
    ended = night(installation, *FILES)
    assert {name for name, (state, _) in ended.items() if state is State.DONE} == FILES.keys() - {"customers"}
    assert ended["customers"][0] is State.HELD
    assert receiver.names() == {*FILES.values()}

    go(installation, "release", ended["customers"][1])
    assert receiver.names() == {*FILES.values(), "done.txt"}
    assert marker.stat().st_mtime_ns >= max((receiver.folder / name).stat().st_mtime_ns for name in FILES.values())


def test_a_file_that_lost_most_is_held_released_and_an_old_one_sent_again(office: Open) -> None:
    installation, receiver = office()
    company = installation.world.company
    full = night(installation, "codes", "items", "customers")
    first = receiver.look("customer.fil")

    # Half of the customers are gone: their file is held, with the difference; the others go.
    remove(company, "Customer", *(f"Bar {number}" for number in range(5)))
    company.update("ItemInventory", "ALE", SalesDesc="Pale ale")
    ended = night(installation, "codes", "items", "customers")
    assert [state for state, _ in ended.values()] == [State.DONE, State.DONE, State.HELD]
    assert receiver.look("customer.fil") == first
    assert b"Pale ale" in receiver.look("item.fil")
    held = listed(installation, ended["customers"][1])
    assert (held["state"], held["records"], held["problem"]["code"]) == ("held", 5, "file-shrunk")
    assert held["problem"]["message"] == "The file of customers has 5 records; the last one had 10. It was not sent."
    assert go(installation, "release", ended["customers"][1]) is State.DONE
    assert len(receiver.look("customer.fil").splitlines()) == 5
    assert "is not held" in installation.command("file", "release", str(ended["customers"][1]), code=2).stderr

    # Above the share it goes by itself. An empty one is held, and here all of the night wait for it.
    installation.command("flow", "set", "Harbor", "customers", "guard_percent=80")
    installation.command("connection", "set", "Harbor", "files", "all_or_none=true")
    remove(company, "Customer", "Bar 5")
    remove(company, "ItemInventory", "ALE", "GIN", "RUM", "RYE")
    lay = {name: receiver.look(name) for name in receiver.names()}
    made = installation.ask("codes", "items", "customers")
    installation.until_called_for(made)
    assert installation.connector().update().last_error == ""
    held_up = "the file of items, which is held"
    waits = [held_up, "a person", held_up]
    installation.until(made, lambda run: run.waits_for == waits[made.index(run.id)])
    items = installation.run(made[1])
    assert [installation.run(run_id).state for run_id in made] == [State.WAITING, State.HELD, State.WAITING]
    problem = listed(installation, outcome(installation, items.id)[1])["problem"]
    assert problem["code"] == "file-empty"
    assert "0 records; the last one had 4" in problem["message"]
    assert {name: receiver.look(name) for name in receiver.names()} == lay
    assert go(installation, "release", outcome(installation, items.id)[1]) is State.DONE
    installation.until_ended(made)
    assert receiver.look("item.fil") == b""
    assert len(receiver.look("customer.fil").splitlines()) == 4

    # The first file, byte for byte.
    assert go(installation, "resend", full["customers"][1]) is State.DONE
    assert receiver.look("customer.fil") == first


def go(installation: Installation, how: str, file: int) -> State:
    """Release a file or send it again, as typed; how the run ends that it goes with."""
    run_id = json.loads(installation.command("file", how, str(file), "--json").stdout)["run"]
    installation.until_ended([run_id])
    return installation.run(run_id).state


def listed(installation: Installation, file: int) -> Any:
    """A file as `file list` tells of it."""
    files = json.loads(installation.command("file", "list", "--json").stdout)
    return next(each for each in files if each["id"] == file)


def remove(company: SandboxCompany, kind: str, *names: str) -> None:
    """Delete objects of a list."""
    for name in names:
        company.delete_from_list(kind, name)
