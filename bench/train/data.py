"""Writes the real data that models are compared on: NAME-SEED-train.parquet and
NAME-SEED-holdout.parquet, split at random by the seed.

    python data.py SHARED DIR SEEDS

Breast cancer and diabetes come with scikit-learn. Flights and arrivals are January
to March 2021 of SHARED/flights, which stay outside the project.
"""

import pathlib
import sys

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
from sklearn import datasets

FLIGHT_TEXTS = ["carrier", "origin", "dest", "manufacturer", "engine"]
NO_FLIGHT_FEATURES = ["flight_id", "fl_date", "flight", "tailnum", "dep_delay", "arr_delay", "cancelled", "arr_late"]


def from_sklearn(load):
    """Returns a data set as a table of doubles x0, x1, … and label."""
    x, y = load(return_X_y=True)
    columns = {f"x{i}": x[:, i].astype("f8") for i in range(x.shape[1])}
    return pa.table(dict(columns, label=y.astype("f8")))


def flights(shared):
    """Returns the flights that arrived with two labels: late or not, and early (0), on
    time (1) or late (2)."""
    tables = []
    for month in ["2021-01", "2021-02", "2021-03"]:
        table = pyarrow.csv.read_csv(
            shared / "flights" / f"{month}.csv.gz",
            convert_options=pyarrow.csv.ConvertOptions(
                null_values=[""], strings_can_be_null=True,
                column_types=dict({t: pa.string() for t in FLIGHT_TEXTS}, tailnum=pa.string(), flight_id=pa.int64(), arr_late=pa.int8())))
        tables.append(table)
    table = pa.concat_tables(tables, promote_options="permissive")
    table = table.filter(pc.is_valid(table["arr_late"]))
    columns = {}
    for name in table.column_names:
        if name not in NO_FLIGHT_FEATURES:
            columns[name] = table[name] if name in FLIGHT_TEXTS else table[name].cast(pa.float64())
    early = pc.less(table["arr_delay"], 0).cast(pa.float64())
    late = table["arr_late"].cast(pa.float64())
    classes = pc.subtract(pc.add(late, 1), early)
    return pa.table(dict(columns, label=late)), pa.table(dict(columns, label=classes))


def main(shared, directory, seeds):
    directory.mkdir(parents=True, exist_ok=True)
    late, classes = flights(shared)
    tables = {
        "breast": from_sklearn(datasets.load_breast_cancer),
        "diabetes": from_sklearn(datasets.load_diabetes),
        "flights": late,
        "arrivals": classes,
    }
    for name, table in tables.items():
        for seed in range(1, seeds + 1):
            order = np.random.default_rng(seed).permutation(table.num_rows)
            cut = table.num_rows * 7 // 10
            for part, rows in (("train", order[:cut]), ("holdout", order[cut:])):
                pq.write_table(table.take(np.sort(rows)), directory / f"{name}-{seed}-{part}.parquet")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3]))
