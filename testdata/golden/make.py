"""Makes the golden cases in this directory: models of every kind that LightGBM
trains, rows chosen to be awkward, and the scores that LightGBM itself gives them.

    pip install lightgbm==4.6.0 scikit-learn pandas
    python testdata/golden/make.py

The data are simulated here, or ship with scikit-learn. README.md describes the
files. Scores are made by the model as read back from its file, by one thread.
"""

import json
import pathlib
import shutil

import lightgbm as lgb
import numpy as np
import pandas as pd
from sklearn import datasets

HERE = pathlib.Path(__file__).parent
ZERO = float(np.float32(1e-35))  # LightGBM's kZeroThreshold
BASE = {"verbose": -1, "num_threads": 1, "seed": 7, "deterministic": True,
        "force_row_wise": True, "min_data_in_leaf": 5}
SIMULATED = "simulated by make.py"


# --- data: each returns a frame of doubles (or of pandas categoricals) and a label

def frame(x, names=None):
    return pd.DataFrame(x, columns=names or [f"x{i}" for i in range(np.shape(x)[1])])


def simulated(rows=500, features=6, seed=1):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, features))
    y = x[:, 0] - 0.7 * x[:, 1] * x[:, 2] + np.sin(2 * x[:, 3]) + 0.3 * rng.normal(size=rows)
    return frame(x), y


def with_holes(share=0.2, zeros=0.0, seed=2):
    rng = np.random.default_rng(seed)
    x, y = simulated(seed=seed)
    values = x.to_numpy(copy=True)
    values[rng.random(values.shape) < share] = np.nan
    values[rng.random(values.shape) < zeros] = 0.0
    return frame(values), y


def coded(rows=900, kinds=70, seed=3):
    """Two categorical features as codes, one with more codes than two words hold."""
    rng = np.random.default_rng(seed)
    shop, color = rng.integers(0, kinds, rows), rng.integers(0, 4, rows)
    size = rng.normal(size=rows)
    effect = rng.normal(size=kinds)
    y = effect[shop] + 0.5 * (color == 2) + 0.3 * size + 0.2 * rng.normal(size=rows)
    x = frame(np.column_stack([shop, color, size]).astype(float), ["shop", "color", "size"])
    x.loc[rng.random(rows) < 0.05, "color"] = np.nan
    return x, y


def pandas_frame(rows=900, seed=4):
    """Categories that are text, whole numbers, and booleans."""
    rng = np.random.default_rng(seed)
    city = rng.choice(["Bern", "Lyon", "Oslo", "São Paulo", "New York, NY", 'the "Hague"'], rows)
    floor, paid = rng.choice([1, 3, 7, 12], rows), rng.choice([True, False], rows)
    age = rng.integers(18, 90, rows).astype(float)
    y = (city == "Oslo") + 0.5 * (floor > 3) - 0.4 * paid + age / 60 + 0.2 * rng.normal(size=rows)
    x = pd.DataFrame({"age": age, "city": pd.Categorical(city), "floor": pd.Categorical(floor),
                      "paid": pd.Categorical(paid)})
    x.loc[rng.random(rows) < 0.1, "city"] = np.nan
    return x, y


def from_sklearn(load):
    data = load()
    names = [str(n).replace(" ", "_") for n in data.feature_names]
    return frame(data.data.astype(float), names), data.target


# --- rows to predict

def awkward(x, booster, categorical):
    """Rows that sit where decisions turn: on, above and below the model's own
    thresholds, near zero, without a value, infinite; and codes nobody has seen."""
    rng = np.random.default_rng(99)
    columns = list(x.columns)
    turns = {c: [0.0, ZERO, -ZERO] for c in columns}
    for node in booster.trees_to_dataframe().itertuples():
        if isinstance(node.threshold, float) and np.isfinite(node.threshold):
            turns[node.split_feature].append(node.threshold)
    for c in categorical:
        turns[c] = [0, 1, -1, -0.5, 0.5, 2.9, 31, 32, 63, 64, 69, 70, 95, 96, 1e6, 2**31 - 1, 2.0**31, 2.0**32, 1e300, -1e300]
    rows = [[v] * len(columns) for v in
            (np.nan, 0.0, -0.0, ZERO, -ZERO, np.nextafter(ZERO, 1), np.nextafter(-ZERO, -1), 1e-36, -1e-36,
             1e300, -1e300, np.inf, -np.inf)]
    for _ in range(40):
        rows.append([rng.choice(turns[c]) if c in categorical else
                     np.nextafter(rng.choice(turns[c]), rng.choice([-np.inf, np.inf])) if rng.random() < 0.6 else
                     rng.choice(turns[c]) for c in columns])
    for _ in range(15):
        rows.append([np.nan if rng.random() < 0.5 else rng.choice(turns[c]) for c in columns])
    return pd.DataFrame(rows, columns=columns)


def awkward_categories(x):
    """Rows as a reader sees them, with values that are missing or on no list, and as
    LightGBM gets them from pandas, where both are missing."""
    shown = x.iloc[100:160].astype(object).reset_index(drop=True)
    shown.loc[0, "city"], shown.loc[2, "floor"] = "Atlantis", 4
    shown.loc[1, "city"] = shown.loc[3, "floor"] = shown.loc[4, "paid"] = shown.loc[5, "age"] = np.nan
    asked = shown.copy()
    for c in x.columns:
        if x[c].dtype == "category":
            known = x[c].cat.categories
            asked[c] = pd.Categorical(shown[c].where(shown[c].isin(known)), categories=known)
        else:
            asked[c] = shown[c].astype(float)
    return shown, asked


# --- files

def text(v):
    if isinstance(v, str):
        return '"' + v.replace('"', '""') + '"' if "," in v or '"' in v else v
    if isinstance(v, (bool, np.bool_)):
        return "true" if v else "false"
    if pd.isna(v):
        return ""
    v = float(v)
    return str(int(v)) if v.is_integer() and abs(v) < 1e15 and not (v == 0 and np.signbit(v)) else repr(v)


def write_csv(path, header, rows):
    lines = [",".join(header)] if header else []
    lines += [",".join(r) for r in rows]
    path.write_text("\n".join(lines) + "\n")


def matrix(a, n):
    return np.asarray(a, dtype=float).reshape(n, -1)


def write_case(name, booster, shown, asked, info):
    """shown: the rows as a reader of the file sees them; asked: as LightGBM does."""
    directory = HERE / f"lgb-{name}"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    options = info.get("predict", {})
    (directory / "model.txt").write_text(info.pop("model_text"))
    n = len(shown)
    raw = matrix(booster.predict(asked, raw_score=True, **options), n)
    pred = matrix(booster.predict(asked, **options), n)
    leaf = matrix(booster.predict(asked, pred_leaf=True, **options), n)
    k = raw.shape[1]
    write_csv(directory / "input.csv", list(shown.columns), ([text(v) for v in r] for r in shown.itertuples(index=False)))
    write_csv(directory / "expected.csv", [f"raw_{i}" for i in range(k)] + [f"pred_{i}" for i in range(k)],
              (["%.17g" % v for v in np.concatenate(r)] for r in zip(raw, pred)))
    write_csv(directory / "leaf.csv", None, ([str(int(v)) for v in r] for r in leaf))
    case = {"lib": "lightgbm", "version": lgb.__version__, "case": name, "rows": n, "outputs": k, "predict": options, **info}
    (directory / "case.json").write_text(json.dumps(case, indent=1, ensure_ascii=False) + "\n")


def case(name, data, params, rounds, label=None, predict=None, notes="", source=SIMULATED, categorical=(), custom=None, **fit):
    """Trains, writes the model, reads it back and lets it score."""
    x, y = data
    y = label(y) if label else y
    params = {**BASE, **params}
    if custom:
        params["objective"] = custom
    train = lgb.Dataset(x, y, categorical_feature=list(categorical) or "auto", free_raw_data=False, **fit)
    trained = lgb.train(params, train, rounds)
    model_text = trained.model_to_string()
    booster = lgb.Booster(model_str=model_text)
    if any(x[c].dtype == "category" for c in x.columns):
        shown, asked = awkward_categories(x)
    else:
        shown = asked = pd.concat([x.head(60), awkward(x, booster, categorical)], ignore_index=True)
    if custom:
        del params["objective"]
    info = {"params": params, "rounds": rounds, "predict": predict or {}, "categorical": list(categorical),
            "data": source, "notes": notes, "model_text": model_text}
    write_case(name, booster, shown, asked, info)


def classes(n):
    return lambda y: np.digitize(y, np.quantile(y, np.linspace(0, 1, n + 1)[1:-1])).astype(float)


def positive(y):
    return y > 0


def counts(y):
    return np.floor(np.exp(y / 2))


def chances(y):
    return 1 / (1 + np.exp(-y))


def main():
    cancer = from_sklearn(datasets.load_breast_cancer)
    diabetes = from_sklearn(datasets.load_diabetes)
    iris = from_sklearn(datasets.load_iris)
    small = {"num_leaves": 7}

    case("binary", cancer, {"objective": "binary", **small}, 10, source="scikit-learn: breast_cancer")
    case("binary-sigmoid", simulated(), {"objective": "binary", "sigmoid": 0.7, **small}, 10, label=positive)
    case("regression", diabetes, {"objective": "regression", **small}, 10, source="scikit-learn: diabetes")
    case("regression-sqrt", simulated(), {"objective": "regression", "reg_sqrt": True, **small}, 8, notes="sign(x)·x², with raw scores of both signs")
    for objective in ("regression_l1", "huber", "fair", "quantile"):
        case(objective.replace("_", "-"), simulated(), {"objective": objective, **small}, 6)
    case("mape", simulated(), {"objective": "mape", **small}, 6, label=lambda y: 1 + np.abs(y))
    for objective in ("poisson", "tweedie"):
        case(objective, simulated(), {"objective": objective, **small}, 8, label=counts)
    case("gamma", simulated(), {"objective": "gamma", **small}, 8, label=lambda y: np.exp(y / 2))
    for objective in ("cross_entropy", "cross_entropy_lambda"):
        case(objective.replace("_", "-"), simulated(), {"objective": objective, **small}, 8, label=chances)
    case("multiclass", iris, {"objective": "multiclass", "num_class": 3, **small}, 6, source="scikit-learn: iris")
    case("multiclassova", simulated(), {"objective": "multiclassova", "num_class": 4, "sigmoid": 1.5, **small}, 5, label=classes(4))
    for objective in ("lambdarank", "rank_xendcg"):
        case(objective.replace("_", "-"), simulated(), {"objective": objective, **small}, 8, label=classes(4), group=[20] * 25)
    case("custom", simulated(), {**small}, 8, notes="no objective in the file: raw scores are the predictions",
         custom=lambda score, train: (score - train.get_label(), np.ones_like(score)))
    case("dart", simulated(), {"objective": "binary", "boosting": "dart", "drop_rate": 0.4, **small}, 12, label=positive)
    bagging = {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.6, **small}
    case("rf", simulated(), {"objective": "binary", **bagging}, 9, label=positive, notes="average_output")
    case("rf-multiclass", simulated(), {"objective": "multiclass", "num_class": 3, **bagging}, 6, label=classes(3),
         predict={"start_iteration": 1, "num_iteration": 4}, notes="average_output over the iterations in use")
    linear = {"linear_tree": True, "linear_lambda": 0.1, "num_leaves": 5}
    case("linear", simulated(), {"objective": "regression", **linear}, 8)
    case("linear-nan", with_holes(), {"objective": "binary", **linear}, 6, label=positive, notes="a leaf falls back to its value if a feature is missing")
    case("linear-multiclass", simulated(), {"objective": "multiclass", "num_class": 3, **linear}, 4, label=classes(3),
         notes="infinite inputs make raw scores infinite and NaN, and softmax of them")
    case("missing-none", simulated(), {"objective": "regression", **small}, 8, notes="trained without NaN: NaN counts as zero")
    case("missing-nan", with_holes(), {"objective": "regression", **small}, 10)
    case("missing-zero", with_holes(zeros=0.3), {"objective": "regression", "zero_as_missing": True, **small}, 10)
    case("missing-unused", with_holes(), {"objective": "regression", "use_missing": False, **small}, 8)
    case("categorical", coded(), {"objective": "regression", "min_data_per_group": 5, "cat_smooth": 2, "max_bin": 200, "num_leaves": 15}, 10,
         categorical=["shop", "color"], notes="bit sets of three words")
    case("categorical-onehot", coded(kinds=5), {"objective": "binary", "max_cat_to_onehot": 8, **small}, 8,
         label=positive, categorical=["shop", "color"])
    case("pandas-categorical", pandas_frame(), {"objective": "regression", "min_data_per_group": 5, "cat_smooth": 1, **small}, 10,
         notes="text, numbers and booleans as categories; unseen ones are missing")
    case("start-iteration", simulated(), {"objective": "regression", **small}, 20, predict={"start_iteration": 3, "num_iteration": 9})
    case("num-iteration-beyond", simulated(), {"objective": "regression", **small}, 6, predict={"start_iteration": 4, "num_iteration": 100})
    case("deep-chain", simulated(rows=300), {"objective": "regression", "num_leaves": 200, "min_data_in_leaf": 1,
                                            "min_sum_hessian_in_leaf": 0, "learning_rate": 0.4}, 2)
    case("stump", simulated(rows=50), {"objective": "regression", "min_data_in_leaf": 100}, 3, notes="no split is possible: trees of one leaf")
    case("two-leaves", simulated(), {"objective": "binary", "num_leaves": 2}, 12, label=positive)


if __name__ == "__main__":
    main()
