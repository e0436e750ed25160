"""Trains one model with LightGBM, as a data scientist would: pyarrow, NumPy, LightGBM.

    python peer_lightgbm.py JOB

JOB is JSON: train, holdout (Parquet files), label, features, categorical (text
columns among the features), params, threads, model and scores (files to write),
and check and checked: another model's file, and where its raw scores go. Texts
become codes by the sorted values of the training file. It prints one line of JSON.
"""

import json
import resource
import sys
import time

import lightgbm as lgb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq


def matrix(path, features, dictionaries):
    """Returns the features as one array of doubles, nulls as NaN."""
    x = np.empty((pq.read_metadata(path).num_rows, len(features)))
    for i, name in enumerate(features):
        column = pq.read_table(path, columns=[name]).column(0)
        if name in dictionaries:
            column = pc.index_in(column.cast(pa.string()), value_set=dictionaries[name])
        x[:, i] = column.cast(pa.float64()).to_numpy()
    return x


def dictionary(path, name):
    column = pq.read_table(path, columns=[name]).column(0).cast(pa.string())
    return pa.array(sorted(v for v in pc.unique(column).to_pylist() if v is not None), pa.string())


def main(job):
    pa.set_cpu_count(job["threads"])
    wall, cpu = time.perf_counter(), time.process_time()
    features = job["features"]
    dictionaries = {name: dictionary(job["train"], name) for name in job["categorical"] or []}
    params = dict(job["params"], num_threads=job["threads"], verbosity=-1)
    rounds = int(params.pop("num_iterations"))
    y = pq.read_table(job["train"], columns=[job["label"]]).column(0).cast(pa.float32()).to_numpy()
    data = lgb.Dataset(matrix(job["train"], features, dictionaries), y, params=params, feature_name=features,
                       categorical_feature=[features.index(name) for name in dictionaries], free_raw_data=True)
    data.construct()
    loaded_wall, loaded_cpu = time.perf_counter(), time.process_time()
    booster = lgb.train(params, data, rounds)
    trained_wall, trained_cpu = time.perf_counter(), time.process_time()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

    booster.save_model(job["model"])
    holdout = matrix(job["holdout"], features, dictionaries)
    booster.predict(holdout, raw_score=True).astype("<f8").tofile(job["scores"])
    if job.get("check"):
        lgb.Booster(model_file=job["check"]).predict(holdout, raw_score=True).astype("<f8").tofile(job["checked"])
    print(json.dumps({
        "name": f"LightGBM {lgb.__version__}",
        "load_wall": loaded_wall - wall,
        "load_cpu": loaded_cpu - cpu,
        "train_wall": trained_wall - loaded_wall,
        "train_cpu": trained_cpu - loaded_cpu,
        "memory": memory,
    }))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
