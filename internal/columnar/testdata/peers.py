"""Files of other writers, and other readers for our files.

  peers.py write DIR [ROWS]   writes *.parquet by pyarrow, DuckDB and Polars into DIR,
                              and beside each, as *.arrow, the values that pyarrow reads from it
  peers.py check DIR          reads each *.parquet in DIR with pyarrow, DuckDB and Polars and
                              compares the values with those in *.arrow
  peers.py encrypt DIR        writes files with encrypted footers and with encrypted columns

The files in this folder were made by `peers.py write . 40`, with pyarrow 26.0.1,
DuckDB 2.0.0 and Polars 2.1.0; a dozen of them are kept.
"""

import datetime
import decimal
import pathlib
import sys
import uuid

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq


def column(rng, n, make, kind, nulls=True):
    mask = rng.random(n) < 0.15 if nulls else np.zeros(n, bool)
    if nulls and n > 30:
        mask[5:25] = True
    return pa.array([None if m else make(i) for i, m in enumerate(mask)], type=kind)


def table(n):
    """One column of each flat type, half of them with nulls."""
    rng = np.random.default_rng(n)
    whole = lambda bits, signed: int(rng.integers(-(2 ** (bits - 1)) if signed else 0, 2 ** (bits - 1 if signed else bits), dtype=np.int64 if signed else np.uint64))
    day = lambda: datetime.date(1970, 1, 1) + datetime.timedelta(days=int(rng.integers(-30000, 30000)))
    dec = lambda digits, scale: decimal.Decimal(int.from_bytes(rng.bytes(40), "big") % 10**digits * (1 if rng.random() < 0.5 else -1)).scaleb(-scale, decimal.Context(prec=80))
    columns = {
        "bool": (lambda i: bool(rng.random() < 0.5), pa.bool_()),
        "int8": (lambda i: whole(8, True), pa.int8()),
        "int16": (lambda i: whole(16, True), pa.int16()),
        "int32": (lambda i: whole(32, True), pa.int32()),
        "int64": (lambda i: whole(63, True), pa.int64()),
        "small": (lambda i: i // 3 - 7, pa.int64()),
        "uint8": (lambda i: whole(8, False), pa.uint8()),
        "uint16": (lambda i: whole(16, False), pa.uint16()),
        "uint32": (lambda i: whole(32, False), pa.uint32()),
        "uint64": (lambda i: whole(63, False) * 2 + 1, pa.uint64()),
        "float16": (lambda i: np.float16(rng.normal()), pa.float16()),
        "float32": (lambda i: [float(np.float32(rng.normal())), float("inf"), -0.0][i % 3], pa.float32()),
        "float64": (lambda i: [rng.normal(), float("-inf"), 1e300][i % 3], pa.float64()),
        "date": (lambda i: day(), pa.date32()),
        "time_ms": (lambda i: datetime.time(i % 24, 59, 58, 123000), pa.time32("ms")),
        "time_us": (lambda i: datetime.time(i % 24, 59, 58, 123456), pa.time64("us")),
        "time_ns": (lambda i: i * 1_000_000_007 % 86_400_000_000_000, pa.time64("ns")),
        "ts_ms": (lambda i: whole(42, True), pa.timestamp("ms")),
        "ts_us": (lambda i: whole(50, True), pa.timestamp("us")),
        "ts_ns": (lambda i: whole(62, True), pa.timestamp("ns")),
        "ts_us_utc": (lambda i: whole(50, True), pa.timestamp("us", "UTC")),
        "dec5": (lambda i: dec(5, 2), pa.decimal128(5, 2)),
        "dec15": (lambda i: dec(15, 5), pa.decimal128(15, 5)),
        "dec38": (lambda i: dec(38, 10), pa.decimal128(38, 10)),
        "dec60": (lambda i: dec(60, 10), pa.decimal256(60, 10)),
        "few": (lambda i: ["red", "green", "", "bläu"][i % 4], pa.string()),
        "many": (lambda i: f"value {i} {whole(30, True)}", pa.string()),
        "binary": (lambda i: rng.bytes(i % 7), pa.binary()),
        "fixed": (lambda i: rng.bytes(5), pa.binary(5)),
        "uuid": (lambda i: rng.bytes(16), pa.binary(16)),
    }
    arrays = {name: column(rng, n, make, kind) for name, (make, kind) in columns.items()}
    arrays["required"] = pa.array(np.arange(n))
    arrays["nothing"] = pa.nulls(n)
    schema = pa.schema([pa.field(k, v.type, nullable=k != "required") for k, v in arrays.items()])
    return pa.table(arrays, schema=schema)


def expected(path):
    """The values as pyarrow reads them, strings plain, extension types as their storage."""
    t = pq.read_table(path)
    columns, fields = [], []
    for field, col in zip(t.schema, t.columns):
        kind = field.type
        if pa.types.is_nested(kind):
            continue
        if isinstance(kind, pa.BaseExtensionType):
            kind = kind.storage_type
            col = pa.chunked_array([c.storage if hasattr(c, "storage") else c for c in col.chunks], type=kind)
        if pa.types.is_dictionary(kind):
            kind = kind.value_type
            col = col.cast(kind)
        plain = {pa.large_string(): pa.string(), pa.string_view(): pa.string(), pa.large_binary(): pa.binary(), pa.binary_view(): pa.binary()}
        kind = plain.get(kind, kind)
        columns.append(col.cast(kind))
        fields.append(pa.field(field.name, kind, field.nullable))
    return pa.table(columns, schema=pa.schema(fields)).combine_chunks()


def save(path):
    t = expected(path)
    with pa.ipc.new_file(str(path)[: -len(".parquet")] + ".arrow", t.schema) as f:
        f.write_table(t)


def by_pyarrow(folder, t):
    ints = ["int32", "int64", "small", "uint32", "uint64", "int8", "date", "ts_us", "time_us", "required"]
    rest = [c for c in t.column_names if c not in ("nothing", "bool")]
    nested = t.append_column("list", pa.array([[i, None] for i in range(len(t))]))
    nested = nested.append_column("struct", pa.array([{"x": i} for i in range(len(t))])).append_column("after", pa.array(np.arange(len(t))))
    no_codes = dict(use_dictionary=False)
    files = {
        "snappy": (t, {}),
        "none": (t, dict(compression="none")),
        "gzip": (t, dict(compression="gzip")),
        "brotli": (t, dict(compression="brotli")),
        "zstd": (t, dict(compression="zstd", write_page_checksum=True)),
        "lz4": (t, dict(compression="lz4")),
        "plain": (t, no_codes),
        "plain_none_v2": (t, dict(compression="none", data_page_version="2.0", **no_codes)),
        "v2": (t, dict(data_page_version="2.0", write_page_checksum=True)),
        "v1types": (t.drop_columns(["ts_ns", "time_ns"]), dict(version="1.0")),
        "int96": (t, dict(use_deprecated_int96_timestamps=True)),
        "decimal_int": (t, dict(store_decimal_as_integer=True)),
        "delta": (t, dict(column_encoding={**{c: "DELTA_BINARY_PACKED" for c in ints}, "many": "DELTA_BYTE_ARRAY", "few": "DELTA_LENGTH_BYTE_ARRAY", "binary": "DELTA_BYTE_ARRAY", "fixed": "DELTA_BYTE_ARRAY", "dec38": "DELTA_BYTE_ARRAY", "bool": "RLE"}, **no_codes)),
        "delta_none_v2": (t, dict(compression="none", data_page_version="2.0", column_encoding={**{c: "DELTA_BINARY_PACKED" for c in ints}, "many": "DELTA_LENGTH_BYTE_ARRAY", "few": "DELTA_BYTE_ARRAY", "bool": "RLE"}, **no_codes)),
        "split": (t, dict(column_encoding={c: "BYTE_STREAM_SPLIT" for c in rest if c not in ("few", "many", "binary")}, **no_codes)),
        "small_pages": (t, dict(data_page_size=64, write_batch_size=8, row_group_size=max(1, len(t) // 3), write_page_index=True)),
        "overflow": (t, dict(dictionary_pagesize_limit=100, data_page_size=64, write_batch_size=8)),
        "nested": (nested, {}),
        "empty": (t.slice(0, 0), {}),
    }
    for name, (data, options) in files.items():
        yield f"pyarrow_{name}", lambda path: pq.write_table(data, path, **options)


def by_duckdb(folder, n):
    con = duckdb.connect()
    con.execute("SET TimeZone='UTC'")
    con.execute("CREATE TYPE color AS ENUM ('red', 'green', 'blue')")
    kinds = ["BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "DECIMAL(4,1)", "DECIMAL(9,2)", "DECIMAL(18,3)", "DECIMAL(38,4)"]
    parts = [f"CASE WHEN i % 5 <> 0 THEN (i * 7 % 100)::{k} END AS c{j}" for j, k in enumerate(kinds)]
    parts += [
        "(i / 7)::FLOAT AS f", "CASE WHEN i % 3 <> 0 THEN sin(i) END AS d",
        "DATE '2020-01-01' + (i % 4000)::INTEGER AS date", "TIME '00:00:00' + INTERVAL (i % 86400) SECOND AS time",
        "TIMESTAMP '2020-01-01' + INTERVAL (i) SECOND AS ts", "make_timestamp_ns(i * 1000003)::TIMESTAMP_NS AS ts_ns",
        "(TIMESTAMP '2020-01-01' + INTERVAL (i) SECOND)::TIMESTAMP_MS AS ts_ms", "(TIMESTAMP '2020-01-01' + INTERVAL (i) SECOND)::TIMESTAMP_S AS ts_s",
        "(TIMESTAMP '2020-01-01' + INTERVAL (i) SECOND)::TIMESTAMPTZ AS ts_tz",
        "CASE WHEN i % 4 <> 0 THEN 's' || (i % 6) END AS few", "'string ' || hash(i) AS many",
        "['red', 'green', 'blue'][i % 3 + 1]::color AS color", "md5(i::VARCHAR)::BLOB AS blob",
        "('00000000-0000-0000-0000-' || lpad(i::VARCHAR, 12, '0'))::UUID AS uuid", "[i, i + 1] AS list", "{'x': i} AS struct", "NULL::INTEGER AS empty",
    ]
    query = f"SELECT {', '.join(parts)} FROM range({n}) t(i)"
    options = {"v1": "", "v2": "PARQUET_VERSION V2", "zstd": "COMPRESSION zstd", "gzip": "COMPRESSION gzip", "brotli": "COMPRESSION brotli", "lz4": "COMPRESSION lz4_raw, PARQUET_VERSION V2", "none": "COMPRESSION uncompressed", "groups": f"ROW_GROUP_SIZE {max(1, n // 3)}"}
    for name, option in options.items():
        yield f"duckdb_{name}", lambda path: con.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet{', ' if option else ''}{option})")


def by_polars(folder, t):
    frame = pl.from_arrow(t.drop_columns(["dec60", "float16", "nothing"]))
    for name in ["zstd", "snappy"]:
        yield f"polars_{name}", lambda path: frame.write_parquet(path, compression=name)


def write(folder, n):
    t = table(n)
    for writer in (by_pyarrow(folder, t), by_duckdb(folder, n), by_polars(folder, t)):
        for name, make in writer:
            path = folder / f"{name}.parquet"
            make(path)
            save(path)


def same(name, got, want):
    for field in want.schema:
        g, w = got.column(field.name), want.column(field.name)
        if g.type != w.type:
            g = g.cast(w.type)
        if not g.equals(w):
            for i, (x, y) in enumerate(zip(g.to_pylist(), w.to_pylist())):
                if x != y:
                    sys.exit(f"{name}: {field.name}, row {i}: {x!r}, want {y!r}")
            if g.null_count != w.null_count or len(g) != len(w):
                sys.exit(f"{name}: {field.name}: {g.null_count} nulls of {len(g)}, want {w.null_count} of {len(w)}")


def check(folder):
    files = sorted(folder.glob("*.parquet"))
    if not files:
        sys.exit("no files")
    for path in files:
        want = pa.ipc.open_file(path.with_suffix(".arrow")).read_all()
        pq.ParquetFile(path, page_checksum_verification=True).read()
        same(f"{path.name} by pyarrow", pq.read_table(path, page_checksum_verification=True), want)
        # DuckDB has no decimals of more than 38 digits, no float16, and times to the microsecond.
        con = duckdb.connect()
        con.execute("SET TimeZone='UTC'")
        names = [f.name for f in want.schema if f.name not in ("dec76", "float16", "time_ns", "null")]
        quoted = ", ".join(f'"{n}"' for n in names)
        got = con.execute(f"SELECT {quoted} FROM read_parquet('{path}')").to_arrow_table()
        same(f"{path.name} by DuckDB", got, want.select(names))
        names = [f.name for f in want.schema if f.name not in ("dec76", "float16", "null")]
        got = pl.read_parquet(path, columns=names).to_arrow()
        same(f"{path.name} by Polars", got, want.select(names))
        stats(path, want)
    print(f"{len(files)} files agree")


def stats(path, want):
    """Null counts, minima and maxima in the footer are what the values say."""
    meta = pq.read_metadata(path)
    row = 0
    for g in range(meta.num_row_groups):
        group = meta.row_group(g)
        part = want.slice(row, group.num_rows)
        row += group.num_rows
        for c in range(group.num_columns):
            chunk = group.column(c)
            col = part.column(chunk.path_in_schema)
            st = chunk.statistics
            if st is None or st.null_count != col.null_count:
                sys.exit(f"{path.name}: {chunk.path_in_schema}: null count {st}, want {col.null_count}")
            kinds = (pa.types.is_integer, pa.types.is_floating, pa.types.is_string, pa.types.is_boolean)
            if not st.has_min_max or pa.types.is_float16(col.type) or not any(k(col.type) for k in kinds):
                continue
            values = [v for v in col.to_pylist() if v is not None and v == v]
            if (st.min, st.max) != (min(values), max(values)):
                sys.exit(f"{path.name}: {chunk.path_in_schema}: bounds {st.min}, {st.max}, want {min(values)}, {max(values)}")


def encrypt(folder):
    import pyarrow.parquet.encryption as pe

    class Plain(pe.KmsClient):
        def __init__(self, config):
            super().__init__()

        def wrap_key(self, key, master):
            return key.hex()

        def unwrap_key(self, wrapped, master):
            return bytes.fromhex(wrapped)

    t = pa.table({"a": [1, 2, 3], "b": ["x", "y", "z"]})
    for name, options in {"footer": dict(column_keys={"k2": ["a"]}), "column": dict(column_keys={"k2": ["a"]}, plaintext_footer=True)}.items():
        crypto = pe.CryptoFactory(lambda config: Plain(config))
        config = pe.EncryptionConfiguration(footer_key="k1", **options)
        properties = crypto.file_encryption_properties(pe.KmsConnectionConfig(), config)
        with pq.ParquetWriter(folder / f"encrypted_{name}.parquet", t.schema, encryption_properties=properties) as w:
            w.write_table(t)


if __name__ == "__main__":
    command, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    if command == "write":
        write(folder, int(sys.argv[3]) if len(sys.argv) > 3 else 20_000)
    elif command == "check":
        check(folder)
    elif command == "encrypt":
        encrypt(folder)
    else:
        sys.exit(__doc__)
