"""Makes a year of flights ready for Headgate, and asks LightGBM about it first.

    python testdata/flights/prepare.py SHARED STORE OUT [YEAR]

reads SHARED/flights/YEAR-MM.csv.gz, which stay outside the project, and writes

    STORE/incoming/flights/YEAR-MM/ORIGIN.parquet   April to December, as delivered:
                                     before departure, so without any outcome
    OUT/labels/YEAR-MM/arrivals.parquet             what came true of them
    OUT/history/YEAR-MM/ORIGIN.parquet              January to March, as delivered
    OUT/champion.txt                 trained on January to March
    OUT/training.json                what it was trained on, and how
    OUT/golden.parquet               rows of January to March: the model's inputs
    OUT/golden_expected.parquet      their scores by LightGBM itself
    OUT/predictions/YEAR-MM.parquet  LightGBM's own predictions from the delivered
                                     files: flight_id, raw, pred; and from the
                                     source: carrier, origin, and the outcome
                                     arr_late, null if cancelled or diverted

and prints the rows of each delivered month as JSON. Without a year it is 2021.

The parameters are LightGBM's defaults; nothing is tuned.
"""

import json
import pathlib
import sys

import lightgbm as lgb
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

TRAINING, SCORED = range(1, 4), range(4, 13)
TYPES = {
    "flight_id": pa.int64(), "fl_date": pa.date32(),
    "month": pa.int8(), "day": pa.int8(), "dow": pa.int8(), "hour": pa.int8(),
    "sched_dep_time": pa.int16(), "sched_arr_time": pa.int16(),
    "carrier": pa.string(), "flight": pa.int32(), "tailnum": pa.string(), "origin": pa.string(), "dest": pa.string(),
    "distance": pa.int32(), "plane_year": pa.int16(), "manufacturer": pa.string(),
    "engines": pa.int8(), "seats": pa.int16(), "engine": pa.string(),
    "temp": pa.float64(), "wind_dir": pa.float64(), "wind_speed": pa.float64(), "wind_gust": pa.float64(),
    "precip": pa.float64(), "visib": pa.float64(),
    "dep_delay": pa.float64(), "arr_delay": pa.float64(), "cancelled": pa.bool_(), "arr_late": pa.bool_(),
}
LATER = ["dep_delay", "arr_delay", "cancelled", "arr_late"]
NO_FEATURES = ["flight_id", "fl_date", "flight", "tailnum"]
TEXTS = ["carrier", "origin", "dest", "manufacturer", "engine"]
TREES = 100
PARAMS = dict(objective="binary", seed=1, deterministic=True, force_row_wise=True, num_threads=2, verbose=-1)


def read(shared, month):
    """Reads a month as it was recorded, later columns and all."""
    return pyarrow.csv.read_csv(
        shared / "flights" / f"{month}.csv.gz",
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=TYPES, include_columns=list(TYPES), null_values=[""], strings_can_be_null=True,
            true_values=["1"], false_values=["0"]),
    )


def inputs(table, categories):
    """Returns the model's inputs as pandas has them: texts as categories, and those
    that no training month had as missing."""
    x = table.drop_columns(NO_FEATURES).to_pandas()
    for name, values in categories.items():
        text = x[name].astype(object)
        x[name] = pd.Categorical(text.where(text.isin(values)), categories=values)
    return x


def train(history):
    """Trains the champion and returns it with its categories."""
    known = history.filter(pc.is_valid(history["arr_late"]))
    categories = {c: sorted(v for v in pc.unique(known[c]).to_pylist() if v is not None) for c in TEXTS}
    x = inputs(known.drop_columns(LATER), categories)
    y = known["arr_late"].to_pandas().astype(int)
    return lgb.train(PARAMS, lgb.Dataset(x, y), TREES), categories, known.num_rows


def deliver(table, directory):
    """Writes a month's batch, one file for each airport."""
    directory.mkdir(parents=True)
    for origin in sorted(pc.unique(table["origin"]).to_pylist()):
        flights = table.filter(pc.equal(table["origin"], origin)).drop_columns(LATER)
        pq.write_table(flights, directory / f"{origin}.parquet", row_group_size=2500)


def predict(model, categories, table, directory, out):
    """Writes LightGBM's own predictions of a delivered month, and what came true."""
    scored = pa.concat_tables(pq.read_table(f) for f in sorted(directory.glob("*.parquet")))
    x = inputs(scored, categories)
    predictions = pa.table({"flight_id": scored["flight_id"], "raw": model.predict(x, raw_score=True), "pred": model.predict(x)})
    truth = table.select(["flight_id", "carrier", "origin", "arr_late"])
    pq.write_table(predictions.join(truth, "flight_id", join_type="full outer"), out)


def golden(model, categories, history, out):
    """Writes every 200th row of the training months and its scores."""
    rows = history.take(list(range(0, history.num_rows, 200))).drop_columns(LATER)
    pq.write_table(rows.drop_columns(NO_FEATURES), out / "golden.parquet")
    x = inputs(rows, categories)
    expected = pa.table({"raw_0": model.predict(x, raw_score=True), "pred_0": model.predict(x)})
    pq.write_table(expected, out / "golden_expected.parquet")


def outcomes(table, directory):
    """Writes what came true of a month's flights."""
    directory.mkdir(parents=True)
    pq.write_table(table.select(["flight_id", "arr_late"]), directory / "arrivals.parquet")


def main(shared, store, out, year="2021"):
    months = [f"{year}-{m:02}" for m in TRAINING]
    past = {m: read(shared, m) for m in months}
    for month, table in past.items():
        deliver(table, out / "history" / month)
    history = pa.concat_tables(past.values())
    model, categories, rows = train(history)
    model.save_model(out / "champion.txt")
    manifest = {"library": f"LightGBM {lgb.__version__}", "months": months, "rows": rows, "label": "arr_late",
                "trees": TREES, "parameters": PARAMS}
    (out / "training.json").write_text(json.dumps(manifest, indent=1) + "\n")
    golden(model, categories, history, out)
    (out / "predictions").mkdir()
    rows = {}
    for month in (f"{year}-{m:02}" for m in SCORED):
        table = read(shared, month)
        outcomes(table, out / "labels" / month)
        batch = store / "incoming" / "flights" / month
        deliver(table, batch)
        predict(model, categories, table, batch, out / "predictions" / f"{month}.parquet")
        rows[month] = table.num_rows
    json.dump(rows, sys.stdout)


if __name__ == "__main__":
    main(*(pathlib.Path(a) for a in sys.argv[1:4]), *sys.argv[4:])
