"""Options and arguments that several commands share, and the examples in their help."""

from __future__ import annotations

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Write JSON to standard output.")]
CompanyName = Annotated[str, typer.Argument(metavar="COMPANY", help="Name of the company.")]
ConnectionName = Annotated[str, typer.Argument(metavar="NAME", help="Name of the connection.")]
FlowName = Annotated[str, typer.Argument(metavar="FLOW", help="Name of the flow.")]
OnlyCompany = Annotated[str | None, typer.Option("--company", metavar="NAME", help="Only this company.")]
OnlyFlow = Annotated[str | None, typer.Option("--flow", metavar="NAME", help="Only flows of this name.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=1_000_000, help="At most so many, the newest first.")]
Force = Annotated[bool, typer.Option("--force", help="Write over a file that is there already.")]

PROGRAM = "routebooks"
#: in minutes
WEEK = 7 * 24 * 60


def examples(*commands: str) -> str:
    """The Examples section of a command's help, from commands without the program's name."""
    # \b keeps Typer from running the lines together.
    return "\b\n" + "\n".join(["Examples:", *(f"  {PROGRAM} {command}" for command in commands)])
