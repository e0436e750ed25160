"""Compares the published scores of the flights with LightGBM's own predictions.

    python testdata/flights/judge.py TABLE OUT

reads the published Delta table with deltalake, and OUT/predictions, which
prepare.py wrote. For each month of either it prints, as a JSON list,

    month
    rows          published
    missing       predicted by LightGBM and not published
    strange       published, but not predicted, or published twice
    raw_differ    raw scores whose bits are not LightGBM's
    pred_ulp      the largest distance of a score from LightGBM's, in steps of doubles
    kept_differ   rows whose carrier or origin is not the source's
    labelled      published flights whose outcome is known
    late          share of those that arrived late
    auc           scikit-learn's, of the published scores
    auc_lightgbm  scikit-learn's, of LightGBM's own predictions of the same flights

It judges nothing by itself; cmd/dev/flights_e2e_test.go does.
"""

import json
import pathlib
import sys

import deltalake
import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score


def steps(a, b):
    """Returns how many doubles lie between two arrays of positive doubles."""
    return np.abs(a.to_numpy().view(np.int64) - b.to_numpy().view(np.int64))


def judge(month, published, own):
    """Compares one month; both frames have one row for each flight."""
    both = published.merge(own, on="flight_id", validate="many_to_one", suffixes=("", "_own"))
    known = both[both.arr_late.notna()]
    late = known.arr_late.astype(int)
    bits = both.raw_score.to_numpy().view(np.uint64) != both.raw.to_numpy().view(np.uint64)
    return {
        "month": month,
        "rows": len(published),
        "missing": int((~own.flight_id.isin(published.flight_id)).sum()),
        "strange": int((~published.flight_id.isin(own.flight_id)).sum() + published.flight_id.duplicated().sum()),
        "raw_differ": int(bits.sum()),
        "pred_ulp": int(steps(both.score, both.pred).max()) if len(both) else 0,
        "kept_differ": int(((both.carrier != both.carrier_own) | (both.origin != both.origin_own)).sum()),
        "labelled": len(known),
        "late": float(late.mean()),
        "auc": roc_auc_score(late, known.score),
        "auc_lightgbm": roc_auc_score(late, known.pred),
    }


def main(table, out):
    published = deltalake.DeltaTable(table).to_pandas()
    months = sorted(set(published.batch) | {p.stem for p in (out / "predictions").glob("*.parquet")})
    answers = []
    for month in months:
        own = pd.read_parquet(out / "predictions" / f"{month}.parquet")
        answers.append(judge(month, published[published.batch == month], own))
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], pathlib.Path(sys.argv[2]))
