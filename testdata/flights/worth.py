"""Says how good the published scores of the flights were, and others beside them.

    python testdata/flights/worth.py TABLE OUT

reads the published Delta table with deltalake; OUT/predictions, which prepare.py wrote,
for the first champion and for what came true; and OUT/versions/NAME/MONTH.parquet with
flight_id and pred, the scores of other versions. For each month it prints, as a JSON list,

    month
    rows      published
    late      share of those that arrived late, where it is known
    served    AUC of the published scores
    loss      log loss of the published scores
    frozen    AUC of the first champion on the same flights
    lossFrozen  log loss of the first champion
    worse     log loss of the published scores, less that of the first champion
    error     its standard error: flights of a day depend on each other
    versions  AUC of the other versions by name

AUC and log loss are scikit-learn's. It judges nothing by itself; cmd/dev does.
"""

import json
import pathlib
import sys

import deltalake
import numpy as np
import pandas as pd
from sklearn.metrics import log_loss, roc_auc_score


def worse(known, late):
    """By how much the published scores' log loss is above the first champion's, and
    the cluster-robust standard error of that, by day (Liang and Zeger, 1986)."""
    loss = [-np.log(np.where(late == 1, p, 1 - p)) for p in (known.score, known.pred)]
    more = pd.Series(loss[0] - loss[1], index=known.index)
    days = (more - more.mean()).groupby(known.fl_date).sum()
    n = len(days)
    return float(more.mean()), float(np.sqrt(n / (n - 1) * (days**2).sum()) / len(more))


def worth(month, published, out):
    """Measures one month."""
    rows = published.merge(pd.read_parquet(out / "predictions" / f"{month}.parquet")[["flight_id", "pred", "arr_late"]],
                           on="flight_id", validate="one_to_one")
    known = rows[rows.arr_late.notna()]
    late = known.arr_late.astype(int)
    versions = {}
    for file in sorted(out.glob(f"versions/*/{month}.parquet")):
        other = known[["flight_id"]].merge(pd.read_parquet(file), on="flight_id", how="left", validate="one_to_one")
        versions[file.parent.name] = roc_auc_score(late, other.pred)
    more, error = worse(known, late)
    return {"month": month, "rows": len(published), "late": float(late.mean()),
            "served": roc_auc_score(late, known.score), "loss": log_loss(late, known.score),
            "frozen": roc_auc_score(late, known.pred), "lossFrozen": log_loss(late, known.pred),
            "worse": more, "error": error, "versions": versions}


def main(table, out):
    published = deltalake.DeltaTable(table).to_pandas()
    json.dump([worth(m, published[published.batch == m], out) for m in sorted(set(published.batch))], sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], pathlib.Path(sys.argv[2]))
