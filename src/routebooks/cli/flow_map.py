"""flow: the map, shown, written into a file, and taken from one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from routebooks.cli import deliver, find
from routebooks.cli.output import facts, heading, output, say, table
from routebooks.cli.params import CompanyName, FlowName, Force, Json, examples
from routebooks.cli.state import ACTOR, state_of
from routebooks.cli.words import count
from routebooks.engine import flow_maps as engine
from routebooks.engine.flow_maps import Filled
from routebooks.errors import ConfigError
from routebooks.store import audit
from routebooks.store import flows as store

app = typer.Typer()

#: more than the longest map anybody writes
_MOST = 256 * 1024


@app.command(
    "map",
    epilog=examples(
        "flow map Harbor customers",
        "flow map Harbor customers --out customers.yaml",
        "flow map Harbor customers --file customers.yaml",
        "flow map Harbor customers --reset",
    ),
)
def map_(
    ctx: typer.Context,
    company: CompanyName,
    flow: FlowName,
    out: Annotated[Path | None, typer.Option(help="Write the map into this file, to change it there.")] = None,
    file: Annotated[Path | None, typer.Option(help="Take the map from this file from now on.")] = None,
    reset: Annotated[bool, typer.Option("--reset", help="Take the map that comes with Routebooks again.")] = False,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Show which field fills which column, and change it.

    The map is a text (YAML): a column, a colon, and a field in brackets after =, or a constant. It is checked before it
    is taken; the next run uses it.
    """
    if sum((out is not None, file is not None, reset)) > 1:
        raise ConfigError("--out, --file and --reset exclude each other.", hint="Give one.", code="options-clash")
    context = state_of(ctx).context
    text = _read(file) if file is not None else None
    with context.store.read() as tx:
        owner = find.company(tx, company)
        row = find.flow(tx, owner, flow)
        if file is not None or reset:
            row = engine.changed(context, tx, row, text)
        columns = engine.filled(context, tx, row)
    if file is not None or reset:
        with context.store.begin() as tx:
            store.change_flow(tx, row.id, map_text=row.map_text)
            audit.note(tx, company_id=owner.id, actor=ACTOR, action="set map", subject=flow, now=context.now())
    if out is not None:
        deliver.write(out, engine.text_of(row).encode(), force=force)
    own = row.map_text is not None
    view = {
        "company": owner.name,
        "flow": row.name,
        "reads": row.stream,
        "fills": row.target,
        "own": own,
        "columns": [{"name": each.column.name, "formula": each.formula or None} for each in columns],
        "text": engine.text_of(row),
    }
    told = [("flow", row.name), ("reads", row.stream), ("fills", row.target), ("map", "your own" if own else "ours")]
    rows = [_row(each) for each in columns if each.formula]
    output(view, as_json, facts(told), heading("Columns"), table(("column", "from", "must be there"), rows, ""))
    blank = [each.column.name for each in columns if not each.formula]
    if blank:
        few = ", ".join(blank[:8]) + (", ..." if len(blank) > 8 else "")
        say(f"{count(len(blank), 'column')} {'stays' if len(blank) == 1 else 'stay'} blank: {few}")
    if out is not None:
        say(f"Written to {out}. After a change: `routebooks flow map ... --file {out}`.")


def _row(filled: Filled) -> tuple[object, ...]:
    column = filled.column
    return column.name, filled.formula, "yes" if column.required or column.key else ""


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_MOST + 1)
        if len(data) > _MOST:
            raise ConfigError(f"{path} is too long for a map.", hint="Name the map's file.", code="map-file")
        return data.decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(
            f"The file {path} cannot be read.", hint="Look at its name and rights.", code="map-file", detail=str(error)
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{path} is not a text in UTF-8.", hint="Save it as UTF-8.", code="map-file", detail=str(error)
        ) from error
