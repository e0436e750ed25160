"""A trainer on a task queue of its own: LightGBM in a Temporal worker.

    python trainer.py TASK_QUEUE

It offers the activity TrainModel; internal/train/taskqueue.go says what goes in and out.
The connection comes from TEMPORAL_ADDRESS and the SDK's other variables and profiles.
"""

import asyncio
import concurrent.futures
import platform
import sys

import lightgbm as lgb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow.fs import FileSystem
from temporalio import activity
from temporalio.client import Client
from temporalio.envconfig import ClientConfig
from temporalio.worker import Worker

LIBRARIES = {m.__name__: m.__version__ for m in (lgb, np, pa)} | {"python": platform.python_version()}


def value(text):
    """Returns a parameter as LightGBM's Python package wants it: numbers as numbers."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text


def dataset(table, manifest, categories, reference=None):
    """Returns LightGBM's data: texts as codes, nulls as NaN."""
    columns = []
    for feature in manifest["features"]:
        column = table[feature["name"]]
        if feature["name"] in categories:
            column = pc.index_in(column.cast(pa.string()), value_set=pa.array(categories[feature["name"]], pa.string()))
        columns.append(column.cast(pa.float64()).to_numpy())
    weight = table[manifest["weight"]].cast(pa.float64()).to_numpy() if manifest.get("weight") else None
    return lgb.Dataset(np.column_stack(columns), table[manifest["label"]].cast(pa.float32()).to_numpy(), weight=weight, reference=reference,
                       feature_name=[f["name"] for f in manifest["features"]], categorical_feature=[
                           i for i, f in enumerate(manifest["features"]) if f["kind"] == "categorical"])


@activity.defn(name="TrainModel")
def train(request: dict) -> dict:
    manifest, (files, base) = request["manifest"], FileSystem.from_uri(request["base"])
    table = pq.read_table(f"{base}/{request['train']}", filesystem=files)
    texts = [f["name"] for f in manifest["features"] if f["kind"] == "categorical" and not pa.types.is_integer(table[f["name"]].type)]
    categories = {name: sorted(v for v in pc.unique(table[name].cast(pa.string())).to_pylist() if v is not None) for name in texts}
    params = {"objective": manifest["task"], "verbosity": -1, "deterministic": True, "force_row_wise": True,
              **{name: value(text) for name, text in manifest.get("parameters", {}).items()}, "seed": manifest["seed"]}
    data = dataset(table, manifest, categories)
    valid = [dataset(pq.read_table(f"{base}/{request['valid']}", filesystem=files), manifest, categories, data)] if request.get("valid") else []
    last = ("", "", 0.0)

    def beat(env):  # a cancelled activity ends here, or in the heartbeat
        nonlocal last
        last = env.evaluation_result_list[0] if env.evaluation_result_list else last
        activity.heartbeat({"round": env.iteration + 1, "rounds": env.end_iteration, "metric": last[1], "value": float(last[2])})
        if activity.is_cancelled():
            raise asyncio.CancelledError

    booster = lgb.train(params, data, valid_sets=valid, callbacks=[beat])
    rounds = booster.best_iteration if booster.best_iteration > 0 else booster.current_iteration()
    with files.open_output_stream(f"{base}/{request['model']}") as out:
        out.write(booster.model_to_string(num_iteration=rounds).encode())
    best = booster.best_score.get("valid_0", {}) if valid else {}
    return {"format": "lightgbm", "model": request["model"], "categories": categories, "libraries": LIBRARIES, "rounds": rounds,
            "metric": last[1], "value": float(best.get(last[1], last[2])), "stopped": "early_stopping_round" if booster.best_iteration > 0 else ""}


async def main(task_queue):
    client = await Client.connect(**ClientConfig.load_client_connect_config())
    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        await Worker(client, task_queue=task_queue, activities=[train], activity_executor=threads, max_concurrent_activities=1).run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
