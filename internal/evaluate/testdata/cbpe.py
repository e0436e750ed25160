"""Makes cbpe.json: scores, and what calibrated scores alone say of metrics, computed by
scikit-learn from each row twice: with label 1 and its score as weight, and with label 0
and the rest. Pairs of a row with itself are taken out of the AUC.

    pip install numpy scikit-learn     # 2.4.6 and 1.9.1 made the file
    python internal/evaluate/testdata/cbpe.py
"""

import json
import pathlib

import numpy as np
from sklearn import metrics as sk

HERE = pathlib.Path(__file__).parent


def expected(s, w, threshold):
    both, labels = np.concatenate([s, s]), np.repeat([1, 0], len(s))
    weights = np.concatenate([w * s, w * (1 - s)])
    chosen = (both >= threshold).astype(int)
    ones, zeros, own = (w * s).sum(), (w * (1 - s)).sum(), (w * w * s * (1 - s)).sum()
    auc = sk.roc_auc_score(labels, both, sample_weight=weights)
    return {
        "prevalence": float(np.average(labels, weights=weights)),
        "auc": float((auc * ones * zeros - own / 2) / (ones * zeros - own)),
        "logLoss": float(sk.log_loss(labels, both, sample_weight=weights)),
        "brier": float(sk.brier_score_loss(labels, both, sample_weight=weights)),
        f"selectionRate@{threshold}": float(np.average(chosen, weights=weights)),
        f"accuracy@{threshold}": float(sk.accuracy_score(labels, chosen, sample_weight=weights)),
        f"precision@{threshold}": float(sk.precision_score(labels, chosen, sample_weight=weights)),
        f"recall@{threshold}": float(sk.recall_score(labels, chosen, sample_weight=weights)),
    }


def main():
    rng = np.random.default_rng(7)
    cases = []
    for name, n, digits, weighted in [
        ("no two scores are equal", 60, 12, False),
        ("many scores are equal", 80, 1, False),
        ("rows have weights", 50, 2, True),
    ]:
        s = np.clip(np.round(rng.beta(2, 4, n), digits), 0, 1)
        w = np.round(rng.uniform(0.5, 4, n), 3) if weighted else np.ones(n)
        cases.append({"name": name, "scores": s.tolist(), "weights": w.tolist() if weighted else None,
                      "threshold": 0.4, "want": expected(s, w, 0.4)})
    (HERE / "cbpe.json").write_text(json.dumps(cases, indent=1) + "\n")


main()
