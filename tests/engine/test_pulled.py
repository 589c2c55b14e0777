"""A source that we call runs without the exchange: one more connector is a class and a line in a mapping."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping

import pyarrow as pa

from house import House, records
from routebooks.connectors.base import Check, Connection, Setting
from routebooks.engine import connections
from routebooks.errors import TransientError
from routebooks.records import Extract, Stream
from routebooks.store import flows as flow_store
from routebooks.store.runs import State
from toy import CUSTOMERS, ToyCaller


class ToyPulled:
    """A system that can be called at any time."""

    name = "toy_pulled"
    title = "Toy service"
    settings: tuple[Setting, ...] = ()

    def __init__(self) -> None:
        self.away = True

    def check(self, connection: Connection) -> list[Check]:
        return [Check("reach", not self.away)]

    def streams(self) -> Mapping[str, Stream]:
        return {"customers": CUSTOMERS}

    def parse(self, stream: str, pages: Iterable[bytes]) -> Iterator[pa.Table]:
        return ToyCaller().parse(stream, pages)

    def extract(self, connection: Connection, extract: Extract) -> Iterable[bytes]:
        if self.away:
            raise TransientError("The service is away.", hint="Wait.", code="toy-away")
        for start in (1, 4):
            yield json.dumps({"records": records(range(start, start + 3))}).encode()


def test_a_flow_runs_through_a_source_that_is_called(house: House) -> None:
    pulled = ToyPulled()
    house.ctx.connectors["toy_pulled"] = pulled  # type: ignore[index]
    with house.ctx.store.begin() as tx:
        added = connections.add(
            house.ctx, tx, company_id=house.company_id, name="pulled", connector="toy_pulled", given={}, actor="test"
        )
        flow_store.change_flow(tx, house.flows["customers"], source_id=added.id)
    run_id = house.run("customers")
    assert house.state(run_id).state is State.READY
    pulled.away = False
    house.clock.on(minutes=1)
    house.tick()
    assert (house.state(run_id).state, house.state(run_id).records_written) == (State.DONE, 6)
    assert len(house.file("list").splitlines()) == 6
