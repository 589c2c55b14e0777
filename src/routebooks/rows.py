"""Rows that need not fit into memory: typed, read in batches, as often as wanted."""

from __future__ import annotations

import errno
import tempfile
from array import array
from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import IO, Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from routebooks.errors import TransientError

#: rows of a batch: some megabytes of the widest stream, and enough of them that a batch costs no more than its rows
BATCH = 10_000

Columns: TypeAlias = Sequence[str] | None


class Scratch(ExitStack):
    """Temporary files without a name: gone at the end of its `with` block, or with the process.

    A disk that is full ends the block with TransientError.
    """

    def __init__(self) -> None:
        super().__init__()
        # What Arrow held last it keeps for itself; whatever comes next would take its memory elsewhere.
        self.callback(pa.default_memory_pool().release_unused)
        self.push(_tell_full)

    def file(self) -> IO[bytes]:
        """A new file, to be written and read."""
        return self.enter_context(tempfile.TemporaryFile())


def _tell_full(_: object, error: BaseException | None, __: object) -> None:
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        raise TransientError(
            "There is no room left on the disk.",
            hint="Free some where Routebooks keeps its artifacts and in the folder for temporary files, or set TMPDIR "
            "to another such folder. It is tried again by itself.",
            code="disk-full",
            detail=str(error),
        ) from error


@dataclass(frozen=True)
class Rows:
    """Rows of one schema; `read` gives them in their order, with all columns or those asked for."""

    schema: pa.Schema
    count: int
    read: Callable[[Columns], Iterator[pa.Table]] = field(repr=False)
    #: the Parquet file that holds just these, where there is one
    file: IO[bytes] | None = field(default=None, repr=False)

    @classmethod
    def of_table(cls, table: pa.Table) -> Rows:
        """The rows of a table."""

        def read(columns: Columns) -> Iterator[pa.Table]:
            part = table if columns is None else table.select(list(columns))
            for start in range(0, part.num_rows, BATCH):
                yield part.slice(start, BATCH)

        return cls(table.schema, table.num_rows, read)

    @classmethod
    def of_parquet(cls, file: IO[bytes]) -> Rows:
        """The rows of a Parquet file, which has to stay open."""
        parquet: Any = pq.ParquetFile(file, pre_buffer=False)
        # What was added as the file was ended stands beside the schema.
        metadata = {name: each for name, each in parquet.metadata.metadata.items() if name != b"ARROW:schema"}
        schema: pa.Schema = parquet.schema_arrow.with_metadata(metadata or None)

        def read(columns: Columns) -> Iterator[pa.Table]:
            names = schema.names if columns is None else list(columns)
            # Group by group: over several at once, more than a batch is held.
            for group in range(parquet.num_row_groups):
                for batch in parquet.iter_batches(BATCH, row_groups=[group], columns=names, use_threads=False):
                    # By its name a column may bring others: "Name" also "Name.First".
                    yield pa.Table.from_batches([batch]).select(names)

        return cls(schema, parquet.metadata.num_rows, read, file)

    def batches(self, columns: Columns = None) -> Iterator[pa.Table]:
        """The rows in batches, none of which is empty."""
        return (batch for batch in self.read(columns) if batch.num_rows)

    def table(self, columns: Columns = None) -> pa.Table:
        """All rows at once."""
        return pa.concat_tables([self._schema(columns).empty_table(), *self.batches(columns)])

    def take(self, places: Sequence[int], columns: Columns = None) -> pa.Table:
        """The rows at these places, which ascend."""
        found = [self._schema(columns).empty_table()]
        start = done = 0
        for batch in self.batches(columns) if places else ():
            end = bisect_left(places, start + batch.num_rows, lo=done)
            if end > done:
                found.append(batch.take(pa.array([place - start for place in places[done:end]], pa.int64())))
            start, done = start + batch.num_rows, end
            if done == len(places):
                break
        return pa.concat_tables(found)

    def matching(self, match: Callable[[pa.Table], Any], columns: Columns = None) -> pa.Table:
        """The rows for which it is true, of few; `match` gives a mask of a batch."""
        parts = [batch.filter(match(batch)) for batch in self.batches(columns)]
        return pa.concat_tables([self._schema(columns).empty_table(), *parts])

    def select(self, columns: Sequence[str]) -> Rows:
        """The same rows with these columns only."""
        read = self.read
        return replace(
            self,
            schema=self._schema(columns),
            read=lambda asked: read(columns if asked is None else asked),
            file=None,
        )

    def each(self, change: Callable[[pa.Table, int], pa.Table]) -> Rows:
        """The rows, changed as they are read: `change` gets a batch and the place of its first row."""

        def read(columns: Columns) -> Iterator[pa.Table]:
            start = 0
            for batch in self.batches():
                changed = change(batch, start)
                start += batch.num_rows
                yield changed if columns is None else changed.select(list(columns))

        return Rows(change(self.schema.empty_table(), 0).schema, self.count, read)

    def kept(self, which: pa.BooleanArray) -> Rows:
        """The rows for which it is true."""

        def read(columns: Columns) -> Iterator[pa.Table]:
            start = 0
            for batch in self.batches(columns):
                yield batch.filter(which.slice(start, batch.num_rows))
                start += batch.num_rows

        return Rows(self.schema, which.true_count, read)

    def parquet(self, scratch: Scratch) -> IO[bytes]:
        """The Parquet file of these rows; it is written now, where there is none yet."""
        if self.file is not None:
            return self.file
        spool = Spool(scratch, self.schema)
        for batch in self.batches():
            spool.add(batch)
        return spool.end()

    def _schema(self, columns: Columns) -> pa.Schema:
        if columns is None:
            return self.schema
        return pa.schema([self.schema.field(name) for name in columns]).with_metadata(self.schema.metadata)


class Spool:
    """Takes tables of one schema, one after the other, into a Parquet file."""

    def __init__(self, scratch: Scratch, schema: pa.Schema) -> None:
        self.schema = schema
        self._file = scratch.file()
        self._writer: Any = pq.ParquetWriter(self._file, schema, compression="zstd")
        # Where an error ends the block, the writer has to be done with the file before it is gone.
        scratch.callback(self._writer.close)

    def add(self, table: pa.Table) -> None:
        """Take a table; it is a group of rows in the file."""
        if table.num_rows:
            # In one piece: many small ones are written one by one.
            self._writer.write_table(table.combine_chunks())

    def end(self, metadata: Mapping[bytes, bytes] | None = None) -> IO[bytes]:
        """The whole file; `metadata` is what the schema gets besides."""
        if metadata:
            self._writer.add_key_value_metadata(dict(metadata))
        self._writer.close()
        return self._file

    def rows(self) -> Rows:
        """What was taken; the last that is asked of it."""
        return Rows.of_parquet(self.end())


class Hashes:
    """Finds the keys that came more than once among many, without keeping them: eight bytes a key."""

    def __init__(self) -> None:
        self._hashes = array("q")

    def add(self, keys: Iterable[Hashable]) -> None:
        """Take keys; those that are None count for nothing."""
        self._hashes.extend(hash(key) for key in keys if key is not None)

    def repeated(self) -> frozenset[int]:
        """The hashes that came more than once; mostly none. Once in a long while two different keys have one."""
        ordered: Any = pa.Array.from_buffers(pa.int64(), len(self._hashes), [None, pa.py_buffer(self._hashes)]).sort()
        same = pc.equal(ordered.slice(1), ordered.slice(0, max(0, len(ordered) - 1)))
        return frozenset(ordered.slice(1).filter(same).to_pylist())
