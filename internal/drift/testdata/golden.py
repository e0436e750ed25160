"""Makes measures.json: small samples, and every measure of package drift on them,
computed by scipy or by the definition written out.

    pip install numpy scipy            # 2.4.6 and 1.17.1 made the file
    pip install evidently 'pandas<3'   # optional, 0.7.23; --peers also compares with it
    python internal/drift/testdata/golden.py [--peers]

Where tools disagree on a name, this is what we mean by it and how theirs follows:

  PSI         Evidently puts 1e-4 into empty bins and bins numbers by Sturges; without
              empty bins and on categories it is our raw PSI.
  JS          ours is the divergence to base 2, as TFDV's; NannyML's is its square root,
              Evidently's sqrt(divergence * ln 2).
  L infinity  TFDV's, on normalised counts.
  chi-square  scipy's chi2_contingency without correction. Evidently takes the
              reference to be exact and tests one sample, which rejects too often.
  KS p        Smirnov's with Stephens' correction; scipy's own p is stored beside it.
  Wasserstein over the population standard deviation of the reference, as Evidently.
"""

import json
import pathlib
import sys

import numpy as np
from scipy import spatial, special, stats

HERE = pathlib.Path(__file__).parent


def psi(ref, cur, extra):
    r = (ref + extra) / (ref.sum() + extra * len(ref))
    c = (cur + extra) / (cur.sum() + extra * len(cur))
    keep = r != c
    with np.errstate(divide="ignore"):
        value = ((c - r)[keep] * np.log(c[keep] / r[keep])).sum()
    return float(value) if np.isfinite(value) else None


def js_bits(ref, cur):
    p, q = ref / ref.sum(), cur / cur.sum()
    a = (p + q) / 2
    kl = lambda x: (x[x > 0] * np.log2(x[x > 0] / a[x > 0])).sum()
    return float((kl(p) + kl(q)) / 2)


def pool(ref, cur):
    """All bins with an expectation below 5 on a side become one; if that is still
    too small, the smallest other joins it."""
    share = min(ref.sum(), cur.sum()) / (ref.sum() + cur.sum())
    small = (ref + cur) * share < 5
    out = [list(x[~small]) for x in (ref, cur)]
    rest = [int(x[small].sum()) for x in (ref, cur)]
    if sum(rest) > 0:
        if sum(rest) * share < 5 and out[0]:
            i = int(np.argmin(np.array(out[0]) + np.array(out[1])))
            rest = [rest[0] + out[0].pop(i), rest[1] + out[1].pop(i)]
        out = [out[0] + rest[:1], out[1] + rest[1:]]
    return np.array(out[0]), np.array(out[1])


def chi_square(ref, cur):
    r, c = pool(ref, cur)
    if len(r) < 2:
        return {"statistic": 0, "df": 0, "p": 1, "cramerV": 0}
    got = stats.chi2_contingency([r, c], correction=False)
    v = stats.contingency.association(np.array([r, c]), method="cramer")
    return {"statistic": float(got.statistic), "df": int(got.dof), "p": float(got.pvalue), "cramerV": float(v)}


def counted(name, ref, cur):
    ref, cur = np.array(ref), np.array(cur)
    bits = js_bits(ref, cur)
    assert np.isclose(bits, spatial.distance.jensenshannon(ref, cur, base=2) ** 2)
    value, k = psi(ref, cur, 0.5), len(ref)
    scale = 1 / ref.sum() + 1 / cur.sum()
    return {
        "name": name, "ref": ref.tolist(), "cur": cur.tolist(),
        "psi": value, "raw": psi(ref, cur, 0), "p": float(stats.chi2.sf(value / scale, k - 1)),
        "js": bits, "lInfinity": float(np.abs(ref / ref.sum() - cur / cur.sum()).max()),
        "chiSquare": chi_square(ref, cur),
    }


def deciles(ref, cur):
    """Tenths of the reference, a bin below its minimum and one above its maximum. A
    value that is a tenth or more gets a bin of its own. With at most 20 values on both
    sides together, each does."""
    both = np.unique(np.concatenate([ref, cur]))
    if len(both) <= 20:
        return tuple(np.array([(x == v).sum() for v in both]) for x in (ref, cur))
    values, times = np.unique(ref, return_counts=True)
    before_heavy = values[:-1][10 * times[1:] >= len(ref)]
    edges = np.unique(np.append(np.quantile(ref, np.arange(1, 10) / 10, method="inverted_cdf"), before_heavy))
    edges = np.concatenate([[np.nextafter(ref.min(), -np.inf)], edges[edges < ref.max()], [ref.max()]])
    count = lambda x: np.bincount(np.searchsorted(edges, x, side="left"), minlength=len(edges) + 1)
    return count(ref), count(cur)


def ordered(name, ref, cur):
    ref, cur = np.round(ref, 3) + 0.0, np.round(cur, 3) + 0.0
    ks = stats.ks_2samp(ref, cur)
    en = np.sqrt(len(ref) * len(cur) / (len(ref) + len(cur)))
    return {
        "name": name, "ref": ref.tolist(), "cur": cur.tolist(),
        "d": float(ks.statistic), "p": float(special.kolmogorov((en + 0.12 + 0.11 / en) * ks.statistic)),
        "scipy": float(ks.pvalue), "wasserstein": float(stats.wasserstein_distance(ref, cur)),
        "std": float(np.std(ref)), "psi": psi(*pool(*deciles(ref, cur)), 0.5),
    }


def proportion(a, n, b, m):
    all_ = (a + b) / (n + m)
    z = (b / m - a / n) / np.sqrt(all_ * (1 - all_) * (1 / n + 1 / m))
    return {"a": a, "n": n, "b": b, "m": m, "z": float(z), "p": float(2 * stats.norm.sf(abs(z)))}


def cases():
    rng = np.random.default_rng(7)
    normal = lambda n, shift=0.0, scale=1.0: rng.normal(shift, scale, n)
    return {
        "counts": [
            counted("a tenth of the rows moved", [100, 100, 100, 100], [60, 100, 100, 140]),
            counted("different totals", [1000, 500, 250], [90, 60, 30]),
            counted("an empty bin in the batch", [500, 300, 200], [500, 500, 0]),
            counted("an empty bin in the reference", [0, 600, 400], [30, 570, 400]),
            counted("nothing in common", [50, 50, 0, 0], [0, 0, 70, 30]),
            counted("equal shares", [10, 20, 70], [100, 200, 700]),
            counted("rare bins", [900, 80, 3, 2, 1, 0, 14], [880, 90, 1, 0, 5, 4, 20]),
            counted("all bins rare", [1, 2, 1], [2, 1, 1]),
            counted("one bin is left", [400, 2], [300, 1]),
            counted("booleans", [5500, 4500], [4625, 5375]),
        ],
        "values": [
            ordered("the same distribution", normal(120), normal(90)),
            ordered("half a standard deviation", normal(150), normal(150, 0.5)),
            ordered("wider", normal(100), normal(100, 0, 2)),
            ordered("far away", normal(80), normal(60, 10)),
            ordered("counts with ties", rng.poisson(4, 200).astype(float), rng.poisson(5, 150).astype(float)),
            ordered("a third is zero", normal(180) * (rng.random(180) > 0.33), normal(140) * (rng.random(140) > 0.5)),
            ordered("no tail in the batch", rng.exponential(10, 150), np.minimum(rng.exponential(10, 120), 12)),
        ],
        "proportions": [proportion(450, 1000, 537, 1000), proportion(1, 50, 0, 70), proportion(3, 10, 6, 20),
                        proportion(0, 100, 100, 100), proportion(20000, 100000, 20900, 100000)],
    }


def compare_with_evidently(made):
    import pandas as pd
    from evidently.legacy.calculations.stattests import (jensenshannon_stat_test, psi_stat_test,
                                                         wasserstein_stat_test, z_stat_test)
    from evidently.legacy.core import ColumnType

    run = lambda test, ref, cur, kind: test(ref, cur, kind, 0.1).drift_score
    for case in made["counts"]:
        ref, cur = (pd.Series(np.repeat([f"v{i}" for i in range(len(c))], c)) for c in (case["ref"], case["cur"]))
        if 0 not in case["ref"] + case["cur"]:
            assert np.isclose(run(psi_stat_test, ref, cur, ColumnType.Categorical), case["raw"], atol=1e-12), case["name"]
        got = run(jensenshannon_stat_test, ref, cur, ColumnType.Categorical)
        assert np.isclose(got, np.sqrt(case["js"] * np.log(2)), atol=1e-7), case["name"]
    for case in made["values"]:
        got = run(wasserstein_stat_test, pd.Series(case["ref"]), pd.Series(case["cur"]), ColumnType.Numerical)
        assert np.isclose(got, case["wasserstein"] / case["std"]), case["name"]
    for case in made["proportions"]:
        ref, cur = (pd.Series([1] * a + [0] * (n - a)) for a, n in ((case["a"], case["n"]), (case["b"], case["m"])))
        assert np.isclose(run(z_stat_test, ref, cur, ColumnType.Categorical), case["p"], atol=1e-12), case
    print("evidently agrees")


if __name__ == "__main__":
    made = cases()
    if "--peers" in sys.argv[1:]:
        compare_with_evidently(made)
    lines = [f' "{key}": [\n  ' + ",\n  ".join(json.dumps(c) for c in made[key]) + "\n ]" for key in made]
    (HERE / "measures.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
