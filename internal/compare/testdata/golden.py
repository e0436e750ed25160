"""Makes scores.json: scores of two models, and measures of their difference computed by
scipy, or by the definition written out where it has none.

    pip install numpy scipy     # 2.4.6 and 1.17.1 made the file
    python internal/compare/testdata/golden.py
"""

import json
import pathlib

import numpy as np
from scipy import stats


def deciles(x):
    s = np.sort(x)
    return np.unique([s[-(-k * len(s) // 10) - 1] for k in range(1, 10)])


def psi(a, b):
    e = deciles(a)
    k = len(e) + 1
    r = np.bincount(np.searchsorted(e, a, side="left"), minlength=k)
    c = np.bincount(np.searchsorted(e, b, side="left"), minlength=k)
    r, c = (r + 0.5) / (len(a) + k / 2), (c + 0.5) / (len(b) + k / 2)
    return float(((c - r) * np.log(c / r)).sum())


def weighted_spearman(a, b, w):
    """Correlation of mid-ranks with weights: every row stands for w rows."""
    return float(stats.spearmanr(np.repeat(a, w), np.repeat(b, w)).statistic)


def main():
    rng = np.random.default_rng(7)
    cases = []
    for name, n, digits in (("distinct scores", 60, 6), ("ties", 60, 1), ("nearly alike", 60, 6)):
        z = rng.normal(size=n)
        noise = 0.05 if name == "nearly alike" else 0.8
        a = (1 / (1 + np.exp(-z))).round(digits)
        b = (1 / (1 + np.exp(-z - noise * rng.normal(size=n) - 0.3))).round(digits)
        w = rng.integers(1, 5, size=n)
        migrate = np.zeros((10, 10), dtype=int)
        np.add.at(migrate, (np.searchsorted(deciles(a), a), np.searchsorted(deciles(b), b)), 1)
        cases.append({
            "name": name, "champion": a.tolist(), "challenger": b.tolist(), "weights": w.tolist(),
            "psi": psi(a, b), "spearman": float(stats.spearmanr(a, b).statistic),
            "weighted": weighted_spearman(a, b, w), "flips": float(((a >= 0.5) != (b >= 0.5)).mean()),
            "counts": migrate.tolist(),
        })
    text = json.dumps(cases, separators=(",", ":")).replace('{"name"', '\n{"name"')
    (pathlib.Path(__file__).parent / "scores.json").write_text(text + "\n")


main()
