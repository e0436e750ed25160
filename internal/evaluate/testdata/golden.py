"""Makes metrics.json: rows, and every metric of package evaluate on them, computed by
scikit-learn and scipy, or by the definition written out where they have none.

    pip install numpy scipy scikit-learn     # 2.4.6, 1.17.1 and 1.9.1 made the file
    python internal/evaluate/testdata/golden.py

Variances are computed from the definition of DeLong, DeLong and Clarke-Pearson (1988),
pair by pair, and of Obuchowski (1997) for clusters.
"""

import json
import pathlib

import numpy as np
from scipy import optimize, special, stats
from sklearn import metrics as sk

HERE = pathlib.Path(__file__).parent


def pairs(x, y):
    return (x[:, None] > y[None, :]) + 0.5 * (x[:, None] == y[None, :])


def components(s, y, w):
    """Structural components of the positive and of the negative rows."""
    kernel = pairs(s[y == 1], s[y == 0])
    w1, w0 = w[y == 1], w[y == 0]
    return kernel @ w0 / w0.sum(), w1 @ kernel / w1.sum()


def delong(models, y):
    """Covariance of the AUCs of several models, without weights."""
    parts = [components(s, y, np.ones(len(y))) for s in models]
    m, n = int((y == 1).sum()), int((y == 0).sum())
    s10 = np.cov(np.array([p[0] for p in parts]))
    s01 = np.cov(np.array([p[1] for p in parts]))
    return np.atleast_2d(s10 / m + s01 / n)


def clustered(s, y, cluster):
    """Variance of the AUC with clusters: sums of components over each cluster."""
    v10, v01 = components(s, y, np.ones(len(y)))
    auc = v10.mean()
    part = np.zeros(len(y))
    part[y == 1] = (v10 - auc) / (y == 1).sum()
    part[y == 0] = (v01 - auc) / (y == 0).sum()
    sums = np.array([part[cluster == c].sum() for c in np.unique(cluster)])
    return (sums**2).sum() * len(sums) / (len(sums) - 1)


def table(s, w, bins):
    """Bins of equal weight, from the highest score down, equal scores together."""
    order = np.argsort(-s, kind="stable")
    place = np.zeros(len(s), dtype=int)
    above = 0.0
    for value in sorted(set(s), reverse=True):
        tied = s == value
        weight = w[tied].sum()
        place[tied] = int(bins * (above + weight / 2) / w.sum())
        above += weight
    del order
    return [place == p for p in np.unique(place)]


def captured(s, y, w, share):
    cut, above, hits = share * w.sum(), 0.0, 0.0
    for value in sorted(set(s), reverse=True):
        tied = s == value
        part = min(max((cut - above) / w[tied].sum(), 0), 1)
        hits += part * (w * y)[tied].sum()
        above += w[tied].sum()
    return hits / (w * y).sum()


def logistic_fit(s, y, w, slope):
    x = special.logit(np.clip(s, 2**-52, 1 - 2**-52))

    def loss(b):
        z = b[0] + (b[1] if slope else 1.0) * x
        return (w * (np.logaddexp(0, z) - y * z)).sum()

    def gradient(b):
        z = b[0] + (b[1] if slope else 1.0) * x
        r = w * (special.expit(z) - y)
        return np.array([r.sum(), (r * x).sum()] if slope else [r.sum()])

    start = [0.0, 1.0] if slope else [0.0]
    return optimize.root(lambda b: gradient(b), optimize.minimize(loss, start, jac=gradient).x, tol=1e-14).x


def binary(s, y, w):
    out = {
        "auc": sk.roc_auc_score(y, s, sample_weight=w),
        "prAUC": sk.average_precision_score(y, s, sample_weight=w),
        "logLoss": sk.log_loss(y, s, sample_weight=w),
        "brier": sk.brier_score_loss(y, s, sample_weight=w),
        "prevalence": np.average(y, weights=w),
        "meanScore": np.average(s, weights=w),
    }
    fpr, tpr, _ = sk.roc_curve(y, s, sample_weight=w, drop_intermediate=False)
    out["ks"] = np.abs(tpr - fpr).max()
    out["gini"] = 2 * out["auc"] - 1
    share = [w[b].sum() / w.sum() for b in table(s, w, 10)]
    score = [np.average(s[b], weights=w[b]) for b in table(s, w, 10)]
    label = [np.average(y[b], weights=w[b]) for b in table(s, w, 10)]
    share, score, label = map(np.array, (share, score, label))
    out["ece"] = (share * np.abs(score - label)).sum()
    out["brierReliability"] = (share * (score - label) ** 2).sum()
    out["brierResolution"] = (share * (label - out["prevalence"]) ** 2).sum()
    out["brierUncertainty"] = out["prevalence"] * (1 - out["prevalence"])
    out["brierWithinBins"] = out["brier"] - out["brierReliability"] + out["brierResolution"] - out["brierUncertainty"]
    out["calibrationIntercept"], out["calibrationSlope"] = logistic_fit(s, y, w, True)
    out["calibrationInTheLarge"] = logistic_fit(s, y, w, False)[0]
    for k in (0.01, 0.05, 0.1, 0.2, 0.37):
        out[f"capture@{k:g}"] = captured(s, y, w, k)
        out[f"lift@{k:g}"] = captured(s, y, w, k) / k
    for t in (0.3, 0.5):
        d = (s >= t).astype(int)
        out[f"accuracy@{t:g}"] = sk.accuracy_score(y, d, sample_weight=w)
        out[f"precision@{t:g}"] = sk.precision_score(y, d, sample_weight=w)
        out[f"recall@{t:g}"] = sk.recall_score(y, d, sample_weight=w)
        out[f"specificity@{t:g}"] = sk.recall_score(1 - y, 1 - d, sample_weight=w)
        out[f"f1@{t:g}"] = sk.f1_score(y, d, sample_weight=w)
        out[f"mcc@{t:g}"] = sk.matthews_corrcoef(y, d, sample_weight=w)
        out[f"selectionRate@{t:g}"] = np.average(d, weights=w)
    return {k: float(v) for k, v in out.items()}


def regression(s, y, w):
    out = {
        "rmse": np.sqrt(sk.mean_squared_error(y, s, sample_weight=w)),
        "mae": sk.mean_absolute_error(y, s, sample_weight=w),
        "r2": sk.r2_score(y, s, sample_weight=w),
        "bias": np.average(s - y, weights=w),
        "poisson": sk.mean_poisson_deviance(y, s, sample_weight=w),
    }
    for q in (0.1, 0.5, 0.9):
        out[f"pinball@{q:g}"] = sk.mean_pinball_loss(y, s, sample_weight=w, alpha=q)
    for p in (0, 1, 1.5) + ((2, 3) if y.min() > 0 else ()):
        out[f"tweedie@{p:g}"] = sk.mean_tweedie_deviance(y, s, sample_weight=w, power=p)
    return {k: float(v) for k, v in out.items()}


def multiclass(p, y, w):
    k = p.shape[1]
    hot = np.eye(k)[y]
    return {
        "multiclassLogLoss": float(sk.log_loss(y, p, sample_weight=w, labels=range(k))),
        "multiclassAccuracy": float(sk.accuracy_score(y, p.argmax(1), sample_weight=w)),
        "macroAUC": float(np.mean([sk.roc_auc_score(hot[:, c], p[:, c], sample_weight=w) for c in range(k)])),
        "microAUC": float(sk.roc_auc_score(hot.ravel(), p.ravel(), sample_weight=np.repeat(w, k))),
    }


def short(x):
    """Numbers of few digits, so that the file is small and reads back exactly."""
    return [float(f"{v:.4g}") for v in x]


def case(name, rng, n, weights, ties):
    z = rng.normal(size=n)
    y = (rng.uniform(size=n) < special.expit(1.3 * z - 0.7)).astype(int)
    s = np.clip(special.expit(z - 0.5), 0.001, 0.999)
    other = np.clip(special.expit(z + 0.8 * rng.normal(size=n) - 0.5), 0.001, 0.999)
    if ties:
        s, other = s.round(1) * 0.98 + 0.01, other.round(1) * 0.98 + 0.01
    s, other = np.array(short(s)), np.array(short(other))
    w = np.array(short(rng.gamma(1.5, size=n) + 0.05)) if weights else np.ones(n)
    cluster = rng.integers(0, n // 4, size=n)
    c = {
        "name": name,
        "scores": s.tolist(), "other": other.tolist(), "labels": y.tolist(),
        "weights": w.tolist() if weights else None, "clusters": cluster.tolist(),
        "want": binary(s, y, w),
        "delong": delong([s, other], y).tolist(),
        "clustered": float(clustered(s, y, cluster)),
        "wilson": list(stats.binomtest(int(((s >= 0.5) == y).sum()), n).proportion_ci(method="wilson")),
        "spearman": float(stats.spearmanr(s, other).statistic),
    }
    return c


def main():
    rng = np.random.default_rng(20260105)
    out = {"binary": [
        case("distinct scores", rng, 100, False, False),
        case("weights", rng, 100, True, False),
        case("ties", rng, 80, False, True),
        case("ties and weights", rng, 80, True, True),
        case("few rows", rng, 12, False, False),
    ], "regression": [], "multiclass": [], "ndcg": []}
    for name, zero, weights in (("amounts", False, False), ("amounts and weights", False, True), ("often zero", True, True)):
        mean = np.exp(rng.normal(size=60))
        y = rng.gamma(2, mean / 2)
        if zero:
            y[rng.uniform(size=60) < 0.4] = 0
        s, y = np.array(short(mean)), np.array(short(y))
        w = np.array(short(rng.gamma(1.5, size=60) + 0.05)) if weights else np.ones(60)
        out["regression"].append({"name": name, "scores": s.tolist(), "labels": y.tolist(), "weights": w.tolist() if weights else None, "want": regression(s, y, w)})
    for name, k, weights in (("three classes", 3, False), ("four classes and weights", 4, True)):
        z = rng.normal(size=(60, k))
        y = (z + rng.gumbel(size=z.shape)).argmax(1)
        p = np.array([short(row) for row in special.softmax(z, axis=1)])
        p[:, -1] = 1 - p[:, :-1].sum(1)
        w = np.array(short(rng.gamma(1.5, size=60) + 0.05)) if weights else np.ones(60)
        out["multiclass"].append({"name": name, "k": k, "probabilities": p.ravel().tolist(), "labels": y.tolist(), "weights": w.tolist() if weights else None, "want": multiclass(p, y, w)})
    for name, places, ties in (("ten places", 10, False), ("three places, ties", 3, True)):
        queries = np.repeat(np.arange(8), 7)
        y = rng.integers(0, 4, size=56)
        s = np.array(short(y + 2 * rng.normal(size=56)))
        if ties:
            s = s.round()
        want = np.mean([sk.ndcg_score([y[queries == q]], [s[queries == q]], k=places) for q in range(8)])
        out["ndcg"].append({"name": name, "scores": s.tolist(), "labels": y.tolist(), "queries": queries.tolist(), "want": {f"ndcg@{places}": float(want)}})
    text = json.dumps(out, indent=None, separators=(",", ":"))
    text = text.replace('{"name"', '\n{"name"').replace('"want"', '\n "want"')
    (HERE / "metrics.json").write_text(text + "\n")


main()
