"""Scores a batch as a data scientist would: pyarrow, LightGBM, pyarrow.

    python peer_lightgbm.py MODEL DIR OUT THREADS ROWS

It reads the first ROWS rows of DIR/*.parquet, 131,072 at a time, predicts with
THREADS threads, and writes key, kept columns and score to OUT with zstd. It does
nothing else that Headgate does: no contract, no profile, no digests, no raw score.
It prints one line of JSON.
"""

import json
import pathlib
import resource
import sys
import time

import lightgbm
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

KEEP = ["customer_id", "segment", "region"]
BATCH = 131_072


def codes(column, categories):
    """Returns the categories' codes as doubles, NaN for null and unknown."""
    found = pc.index_in(column.cast(pa.string()), value_set=categories)
    return found.cast(pa.float64()).to_numpy(zero_copy_only=False)


def matrix(batch, features, categories):
    """Returns the model's inputs as one array of doubles, nulls as NaN."""
    x = np.empty((batch.num_rows, len(features)))
    for i, name in enumerate(features):
        column = batch.column(name)
        if name in categories:
            x[:, i] = codes(column, categories[name])
        else:
            x[:, i] = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return x


def main(model_file, directory, out, threads, rows):
    pa.set_cpu_count(threads)
    model = lightgbm.Booster(model_file=model_file)
    features = model.feature_name()
    files = sorted(pathlib.Path(directory).glob("*.parquet"))
    schema = pq.read_schema(files[0])
    texts = [f for f in features if pa.types.is_string(schema.field(f).type) or pa.types.is_dictionary(schema.field(f).type)]
    categories = {f: pa.array(v, pa.string()) for f, v in zip(texts, model.pandas_categorical)}
    columns = list(dict.fromkeys(KEEP + features))

    wall, cpu, predict, done, writer = time.perf_counter(), time.process_time(), 0.0, 0, None
    for file in files:
        if done >= rows:
            break
        for batch in pq.ParquetFile(file).iter_batches(BATCH, columns=columns, use_threads=threads > 1):
            batch = batch.slice(0, rows - done)
            if batch.num_rows == 0:
                break
            began = time.process_time()
            x = matrix(batch, features, categories)
            scores = model.predict(x, num_threads=threads, validate_features=False)
            predict += time.process_time() - began
            table = pa.table([batch.column(c) for c in KEEP] + [pa.array(scores)], KEEP + ["score"])
            writer = writer or pq.ParquetWriter(out, table.schema, compression="zstd")
            writer.write_table(table)
            done += batch.num_rows
    writer.close()
    print(json.dumps({
        "name": f"pyarrow {pa.__version__} + LightGBM {lightgbm.__version__}",
        "threads": threads,
        "rows": done,
        "wall": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
        "predict": predict,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
