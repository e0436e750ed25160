"""The peers of the end-to-end test: pyarrow writes data files, deltalake (delta-rs)
and Polars read the table. Run as: peer.py COMMAND ARGUMENT…; the answer is JSON."""

import datetime
import hashlib
import json
import os
import sys


def write(root, batches):
    """Writes the data files that a JSON array asks for, and returns what is in them.

    Each is {"dir": directory, "seed": n, "rows": n, "wide": has the columns due and amount}.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq
    from decimal import Decimal

    out = []
    for b in json.loads(batches):
        seed, n = b["seed"], b["rows"]
        scores = [((seed * 31 + i) * 2654435761 % 1000003) / 1000003 for i in range(n)]
        scores[0] = float("nan") if seed % 2 else 1e-300
        columns = {
            "customer": pa.array([seed * 1000 + i for i in range(n)], pa.int64()),
            "score": pa.array(scores, pa.float64()),
            "segment": pa.array([None if i % 3 == 0 else f"s{i % 2}<ö" for i in range(n)], pa.string()),
        }
        if b["wide"]:
            day = datetime.datetime(2024, 3, 1, 12, 30)
            columns["due"] = pa.array([None if i == 1 else day + datetime.timedelta(hours=i) for i in range(n)], pa.timestamp("us"))
            columns["amount"] = pa.array([Decimal(i * seed) / 100 for i in range(n)], pa.decimal128(10, 2))
        table = pa.table(columns)
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink)
        data = sink.getvalue().to_pybytes()
        path = b["dir"] + "/" + hashlib.sha256(data).hexdigest() + ".parquet"
        os.makedirs(os.path.join(root, b["dir"]), exist_ok=True)
        with open(os.path.join(root, path), "wb") as f:
            f.write(data)
        stats = {
            "numRecords": n,
            "minValues": {"customer": seed * 1000},
            "maxValues": {"customer": seed * 1000 + n - 1},
            "nullCount": {"customer": 0, "score": 0, "segment": columns["segment"].null_count},
        }
        out.append({"path": path, "size": len(data), "rows": n, "stats": stats, "values": rows(table)})
    return out


def rows(table):
    """The rows of an Arrow table as sorted strings that are equal only for equal values."""
    return sorted(row for _, row in batches_and_rows(table))


def batches_and_rows(table):
    """A pair for each row: its batch, or None, and its values as a string."""
    columns = {name: table.column(name).to_pylist() for name in table.column_names}
    for i in range(table.num_rows):
        cells = {name: values[i] for name, values in columns.items()}
        cells["score"] = cells["score"].hex()
        batch = cells.get("batch")
        yield batch, ";".join(str(cells.get(n)) for n in ("customer", "score", "segment", "due", "amount"))


def read(root, *versions):
    """What each peer reads at each version (-1: now), as [{"peer": {"batch": rows}}]."""
    return [read_version(root, int(v) if v != "-1" else None) for v in versions]


def read_version(root, version):
    import deltalake
    import polars

    table = deltalake.DeltaTable(root, version=version)
    query = deltalake.QueryBuilder().register("t", table).execute("select * from t where customer >= 0")
    import pyarrow as pa

    tables = {
        "deltalake and pyarrow": table.to_pyarrow_table(),
        "deltalake and datafusion": pa.table(query.read_all()),
        "polars": polars.read_delta(root, version=version).to_arrow(),
        "polars, lazily": polars.scan_delta(root, version=version).filter(polars.col("customer") >= 0).collect().to_arrow(),
    }
    out = {}
    for peer, t in tables.items():
        state = {}
        for batch, row in batches_and_rows(t):
            state.setdefault(batch, []).append(row)
        out[peer] = {batch: sorted(found) for batch, found in state.items()}
    return out


def one_batch(root, batch):
    """The rows of one batch, by partition filters, as {"peer": rows}."""
    import deltalake
    import polars

    return {
        "deltalake": rows(deltalake.DeltaTable(root).to_pyarrow_table(partitions=[("batch", "=", batch)])),
        "polars": rows(polars.scan_delta(root).filter(polars.col("batch") == batch).collect().to_arrow()),
    }


def describe(root):
    """What deltalake says of the table."""
    import deltalake

    table = deltalake.DeltaTable(root)
    meta = table.metadata()
    return {
        "version": table.version(),
        "id": str(meta.id),
        "name": meta.name,
        "partitions": meta.partition_columns,
        "publications": table.transaction_version("headgate/shop/2024-01"),
        "said": [h.get("userMetadata") for h in reversed(table.history())],
        "vacuum": table.vacuum(dry_run=True),
    }


def change(root, how):
    """Changes the table as another program might."""
    import deltalake

    table = deltalake.DeltaTable(root)
    if how == "delete":
        table.delete("batch = '2024-01' and customer % 2 = 0")
    elif how == "compact":
        table.optimize.compact()
    elif how == "checkpoint":
        table.create_checkpoint()
    elif how == "vacuum":
        table.vacuum(dry_run=False)
    return {"version": deltalake.DeltaTable(root).version()}


commands = {"write": write, "read": read, "one_batch": one_batch, "describe": describe, "change": change}
json.dump(commands[sys.argv[1]](*sys.argv[2:]), sys.stdout)
