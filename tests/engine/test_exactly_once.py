"""A random walk: sessions break off, answers get lost, steps are cut off and repeated; each order stands once."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

import house as houses
from routebooks.engine import runs, work
from routebooks.store import ledger as ledger_store
from routebooks.store.ledger import OrderState

ENDED = (OrderState.POSTED, OrderState.REFUSED)


class ExactlyOnce(RuleBasedStateMachine):
    """Orders, runs, visits and faults in any order."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name)
        self.house = houses.build(path)
        self.books = houses.Books({"customers": houses.records([1, 2]), "items": houses.records([11, 12])})
        self.count = 0
        self.house.run("customers")
        self.house.run("items")
        self.house.visit(self.books)
        self.house.tick()

    @rule(customer=st.sampled_from("12"), items=st.lists(st.sampled_from(["11", "12"]), min_size=1, max_size=3))
    def order(self, customer: str, items: list[str]) -> None:
        self.count += 1
        self.house.orders.put(f"A-{self.count}", customer, *items)

    @rule()
    def run(self) -> None:
        self.house.run("orders")

    @rule()
    def tick(self) -> None:
        self.house.clock.on(minutes=20)
        self.house.tick()
        houses.look_again(self.house)

    @rule(after=st.integers(0, 3))
    def tick_that_is_cut_off(self, after: int) -> None:
        """The process dies after some steps, one of them committed but not noted by the durable engine."""

        def start(run: Any) -> None:
            steps = work.steps(self.house.ctx, run.id, run.phase)
            for _, step in steps[:after]:
                step(run.id)
            # After the restart the work begins again with the step whose end was not noted.
            for _, step in steps[max(0, after - 1) :]:
                if not step(run.id):
                    break

        runs.tick(self.house.ctx, start)

    @rule(
        fault=st.sampled_from(["none", "lost", "unheard", "unknown", "retry", "refused", "throws"]),
        at=st.integers(1, 6),
    )
    def visit(self, fault: str, at: int) -> None:
        """A session in which the nth request meets a fault."""
        count = 0

        def answer(request: dict[str, Any]) -> Any:
            nonlocal count
            count += 1
            if count != at or fault == "none" or request.get("ask") == "who":
                return self.books(request)
            if fault == "unheard":
                return None
            if fault == "lost":
                self.books(request)
                return None
            if fault == "throws":
                return "0x80040402"
            if fault == "unknown":
                self.books(request)
            if "forget" in request:
                return {"outcome": "ok"}
            return {"outcome": "hold" if fault == "refused" else fault}

        self.house.visit(answer, close=at % 2 == 0)

    def settled(self) -> bool:
        """Whether every order has come to its end."""
        keys = [f"A-{number}" for number in range(1, self.count + 1)]
        with self.house.ctx.store.read() as tx:
            found = [ledger_store.order_keyed(tx, self.house.flows["orders"], key) for key in keys]
        return all(order is not None and order.state in ENDED for order in found)

    def quiet_night(self) -> None:
        """An order run that nothing disturbs."""
        self.house.clock.on(hours=3)
        self.house.run("orders")
        self.house.tick()
        houses.look_again(self.house)
        self.house.visit(self.books)
        self.house.tick()

    def teardown(self) -> None:
        if not hasattr(self, "house"):
            return
        rounds = 0
        while not self.settled() and rounds < 12:
            self.quiet_night()
            rounds += 1
        # Once all is settled, another night changes nothing.
        self.quiet_night()
        keys = [slip["key"] for slip in self.books.written]
        assert len(keys) == len(set(keys)), "an order was posted twice"
        for number in range(1, self.count + 1):
            order = self.house.order(f"A-{number}")
            assert order.state in ENDED
            if order.state is OrderState.POSTED:
                assert order.key in keys
            else:
                assert order.key not in keys
        self.house.ctx.store.close()
        self.folder.cleanup()


ExactlyOnce.TestCase.settings = settings(
    max_examples=12, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
test_each_order_stands_once = pytest.mark.timeout(300)(ExactlyOnce.TestCase)
