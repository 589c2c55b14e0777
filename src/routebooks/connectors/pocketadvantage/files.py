"""PocketAdvantage as a place for files: layouts, names, bytes, and where they are put."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from typing import IO, Any

import pyarrow as pa

from routebooks.connectors.base import Check, Connection, Encoded, Placed, Setting, at_once
from routebooks.connectors.filedrop.base import FileDrop
from routebooks.connectors.filedrop.place import check, fetch, place
from routebooks.connectors.filedrop.settings import SETTINGS, open_drop
from routebooks.connectors.pocketadvantage import fil
from routebooks.connectors.pocketadvantage.layouts import own_layout, shipped_layouts
from routebooks.connectors.pocketadvantage.texts import transliterate
from routebooks.errors import ConfigError
from routebooks.records import Layout, Loss
from routebooks.rows import Rows

_LINE_ENDS = {"crlf": "\r\n", "lf": "\n"}
#: among the names of files: the marker that all files of a night are in place
_MARKER = "done"


class PocketAdvantageFiles:
    """Writes .FIL files and puts them into the folder that PocketAdvantage reads (pocketadvantage.md, section 1.1)."""

    name = "pocketadvantage"
    title = "Inventiv PocketAdvantage, files"
    settings: tuple[Setting, ...] = (
        *SETTINGS,
        Setting(name="folder", default="latest{cust_id}", help="Folder of the files; {cust_id} is the company's own."),
        Setting(name="customer_file", default="customer.fil", help="Name of the customer file, letter case included."),
        Setting(
            name="item_file", default="item.fil", assumed=True, help="Name of the item file, letter case included."
        ),
        Setting(
            name="invoice_file",
            default="invoice.fil",
            assumed=True,
            help="Name of the invoice file, letter case included. Some installations say transact.fil.",
        ),
        Setting(
            name="detail_file",
            default="detail.fil",
            assumed=True,
            help="Name of the file of codes, letter case included.",
        ),
        Setting(
            name="all_or_none", default=False, help="If one file of a night is held or fails, the others of it wait."
        ),
        Setting(
            name="taken_files_vanish",
            default=False,
            assumed=True,
            help="The receiver takes files away: a file that still lies there was not taken, and the next one carries "
            "its rows, too.",
        ),
        Setting(
            name="done_file",
            default="",
            assumed=True,
            help="Name of an empty marker file, put into the folder after the last file of a night and taken away "
            "before the first of the next; empty: none.",
        ),
        Setting(
            name="temporary",
            default="suffix",
            choices=("suffix", "folder"),
            assumed=True,
            help="While a file is uploaded: its name with a mark and .part behind, or the same in a folder .incoming.",
        ),
        Setting(
            name="read_back",
            default=False,
            help="Every file is read back and compared before it is put in place. Without it its size is, and only "
            "uploads that were broken off are read back.",
        ),
        Setting(
            name="encoding",
            default="cp1252",
            choices=("cp1252", "utf-8", "latin-1", "ascii"),
            assumed=True,
            help="Encoding of the files.",
        ),
        Setting(name="line_end", default="crlf", choices=("crlf", "lf"), assumed=True, help="What ends a line."),
        Setting(name="last_line_end", default=True, assumed=True, help="The last line is ended too."),
        Setting(name="header", default=False, assumed=True, help="The first line holds the names of the columns."),
        Setting(
            name="quoting",
            default="never",
            choices=("never", "needed", "texts"),
            assumed=True,
            help="Double quotes: never, around a text that has one in it, or around every text.",
        ),
        Setting(name="date_format", default="%m/%d/%Y", assumed=True, help="Dates: %m month, %d day, %Y year."),
        Setting(
            name="decimals",
            default="fixed",
            choices=("fixed", "trimmed"),
            assumed=True,
            help="12.50 as it is (fixed) or as 12.5 (trimmed), always with a point.",
        ),
        Setting(
            name="money_decimals",
            default=2,
            minimum=0,
            maximum=6,
            assumed=True,
            help="Digits after the point of amounts and prices.",
        ),
        Setting(name="true_text", default="Y", assumed=True, help="What stands for yes."),
        Setting(name="false_text", default="N", assumed=True, help="What stands for no."),
        *(
            Setting(
                name=f"{name}_layout",
                default="",
                assumed=layout.assumed,
                help=f"A layout of your own for the {name} file, as YAML text; empty: the one of Routebooks.",
            )
            for name, layout in shipped_layouts().items()
        ),
    )

    def layouts(self, connection: Connection | None = None) -> Mapping[str, Layout]:
        """The layouts by name: customer, item, invoice, detail; the connection's own in place of ours.

        Raises ConfigError when one of its own cannot be used.
        """
        if connection is None:
            return shipped_layouts()
        return {name: _layout(connection, name) for name in shipped_layouts()}

    def file_name(self, connection: Connection, layout: str) -> tuple[str, str]:
        """Folder (its {cust_id} filled in) and name of a file. Raises ConfigError: either leads elsewhere."""
        _ours(layout)
        return _folder(connection), _names(connection)[layout]

    def fit(self, connection: Connection, layout: str, table: pa.Table) -> tuple[pa.Table, tuple[Loss, ...]]:
        """A mapped table with its texts as the file says them, and what was lost. Raises FatalError, ConfigError."""
        return fil.fit(_layout(connection, layout), dialect(connection), table)

    def encode(self, connection: Connection, layout: str, rows: Rows, file: IO[bytes]) -> Encoded:
        """Write mapped rows as the bytes of a file, read back and counted. Raises FatalError, ConfigError."""
        return fil.encode(_layout(connection, layout), dialect(connection), rows, file)

    def decode(self, connection: Connection, layout: str, data: bytes) -> tuple[tuple[str, ...], list[list[str]]]:
        """Column names and rows of a file, for showing it to a person."""
        return fil.decode(_layout(connection, layout), dialect(connection), data)

    def place(
        self, connection: Connection, layout: str, data: IO[bytes], before: Callable[[], None] = at_once
    ) -> Placed:
        """Put the file in place: temporary name, size check, `before`, rename. Repeatable.

        Raises TransientError, ConfigError, and what `before` raises.
        """
        folder, name = self.file_name(connection, layout)
        marker = _names(connection).get(_MARKER)
        with _drop(connection) as drop:
            if marker:
                # last night's marker would tell the receiver that tonight's files are all in place
                drop.make_folder(folder)
                drop.remove(folder, marker)
            return place(drop, folder, name, data, before=before, **_manner(connection))

    def fetch(self, connection: Connection, layout: str) -> bytes | None:
        """The file as it lies at the target; None when there is none. Raises TransientError, ConfigError."""
        folder, name = self.file_name(connection, layout)
        with _drop(connection) as drop:
            return fetch(drop, folder, name)

    def mark_done(self, connection: Connection) -> None:
        """Put the empty marker file in place, if there is to be one. Repeatable. Raises TransientError, ConfigError."""
        if marker := _names(connection).get(_MARKER):
            with _drop(connection) as drop:
                place(drop, _folder(connection), marker, io.BytesIO(), **_manner(connection))

    def check(self, connection: Connection) -> list[Check]:
        """Try the connection with a small file: reach, log in, list, write, rename, remove. Raises nothing."""
        try:
            dialect(connection)
            folder, drop = _folder(connection), _drop(connection)
            for layout in self.layouts(connection):
                self.file_name(connection, layout)
        except ConfigError as error:
            return [Check("settings", False, error.problem.message, error.problem.hint)]
        return check(drop, folder, **_manner(connection))


def dialect(connection: Connection) -> fil.Dialect:
    """How the connection's files are written. Raises ConfigError when a setting cannot be used."""
    said = _settings(connection)
    fil.check_date_format(said["date_format"])
    if not 0 <= said["money_decimals"] <= 6:
        raise _wrong("the digits of amounts are not between 0 and 6", "Set money_decimals to 2.")
    for name in ("true_text", "false_text"):
        if not said[name].isprintable() or transliterate(said[name], said["encoding"]) != said[name]:
            raise _wrong(f"{name} cannot be written in {said['encoding']}", "Use plain letters, such as Y and N.")
    return fil.Dialect(
        encoding=said["encoding"],
        line_end=_LINE_ENDS[said["line_end"]],
        last_line_end=said["last_line_end"],
        header=said["header"],
        date_format=said["date_format"],
        time_zone=connection.company.time_zone,
        trim_decimals=said["decimals"] == "trimmed",
        money_decimals=said["money_decimals"],
        quoting=said["quoting"],
        true_text=said["true_text"],
        false_text=said["false_text"],
    )


def _settings(connection: Connection) -> dict[str, Any]:
    return {setting.name: setting.default for setting in PocketAdvantageFiles.settings} | dict(connection.settings)


def _ours(name: str) -> Layout:
    if name not in shipped_layouts():
        raise _wrong(f"there is no layout '{name}'", f"There are: {', '.join(shipped_layouts())}.")
    return shipped_layouts()[name]


def _layout(connection: Connection, name: str) -> Layout:
    """The connection's own layout, or ours."""
    ours = _ours(name)
    text = str(_settings(connection)[f"{name}_layout"])
    return own_layout(name, text) if text.strip() else ours


def _names(connection: Connection) -> dict[str, str]:
    """The name of each file, and of the marker where there is one: no two alike, for one would overwrite the other."""
    said = _settings(connection)
    names = {file: str(said[f"{file}_file"]) for file in (*shipped_layouts(), _MARKER)}
    if not names[_MARKER]:
        del names[_MARKER]
    for name in names.values():
        if not _is_plain(name):
            raise _wrong(f"'{name}' is not the name of a file", "Give the name alone, such as customer.fil.")
    # many servers tell no letter case apart
    if len({name.casefold() for name in names.values()}) < len(names):
        settings = ", ".join(f"{file}_file" for file in names)
        raise _wrong("two of its files have the same name", f"Give {settings} names that differ.")
    return names


def _folder(connection: Connection) -> str:
    """The folder, filled in: a cust_id is one plain part of a path, never a way to another company's folder."""
    pattern, cust_id = str(_settings(connection)["folder"]), connection.company.cust_id
    if "{cust_id}" in pattern and not _is_plain(cust_id):
        raise _wrong(
            f"'{cust_id}' cannot be a cust_id", "Give the company the id that Inventiv uses for it, such as 4711."
        )
    folder = pattern.replace("{cust_id}", cust_id)
    parts = folder.removeprefix("/").removesuffix("/").split("/")
    if folder and not all(map(_is_plain, parts)):
        raise _wrong(f"'{folder}' is not a folder", "Write it with / between its parts and without .. in it.")
    return folder


def _is_plain(part: str) -> bool:
    """Whether it is one part of a path that means the same on every system."""
    return (
        bool(re.fullmatch(r'[^/\\:*?"<>|{}\x00-\x1f\x7f]+', part)) and part.strip(" .") != "" and part == part.strip()
    )


def _manner(connection: Connection) -> dict[str, Any]:
    """How files are put in place: the arguments of `place`."""
    return {name: _settings(connection)[name] for name in ("temporary", "read_back")}


def _drop(connection: Connection) -> FileDrop:
    return open_drop(_settings(connection), connection.secrets)


def _wrong(why: str, hint: str) -> ConfigError:
    return ConfigError(
        f"The connection to PocketAdvantage cannot be used: {why}.", hint=hint, code="pocketadvantage-setting"
    )
