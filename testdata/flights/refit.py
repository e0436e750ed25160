"""Trains the first champion's recipe on one month of flights.

    python testdata/flights/refit.py SHARED OUT MONTH

writes OUT/refit-MONTH.txt and OUT/refit-MONTH.json, what it was trained on and how, and
prints the rows that it learned from as JSON.
"""

import json
import pathlib
import sys

import lightgbm as lgb

import prepare


def main(shared, out, month):
    model, _, rows = prepare.train(prepare.read(shared, month))
    model.save_model(out / f"refit-{month}.txt")
    manifest = {"library": f"LightGBM {lgb.__version__}", "months": [month], "rows": rows, "label": "arr_late",
                "trees": prepare.TREES, "parameters": prepare.PARAMS}
    (out / f"refit-{month}.json").write_text(json.dumps(manifest, indent=1) + "\n")
    json.dump(rows, sys.stdout)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3])
