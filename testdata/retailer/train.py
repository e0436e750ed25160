"""Trains the champion of the simulated retailer and writes its golden rows.

    go run ./internal/retailer/generate -dir DIR -from 2023-01 -to 2024-06 -truth
    python testdata/retailer/train.py DIR

The Python needs lightgbm 4.6.0, pandas, pyarrow and scikit-learn. The script
writes, next to itself,

    champion.txt          trained on the twelve months of 2023
    golden.csv            40 customers of January 2024: the model's inputs,
                          empty = missing, false/true for booleans
    golden_expected.csv   their scores by LightGBM itself, 17 digits

and prints the AUC of each month against the simulated purchases, together with
that of the true probabilities. The labels are those without coupons. It fails
if January to April 2024 are not within 0.75 +- 0.015.
"""

import pathlib
import sys

import lightgbm as lgb
import pandas as pd
from sklearn.metrics import roc_auc_score

HERE = pathlib.Path(__file__).parent
NO_FEATURES = ["customer_id", "as_of", "birthday"]
TREES = 100
PARAMS = dict(
    objective="binary",
    learning_rate=0.07,
    num_leaves=31,
    min_data_in_leaf=300,
    feature_fraction=0.8,
    cat_smooth=50,
    cat_l2=50,
    max_cat_threshold=16,
    seed=1,
    deterministic=True,
    force_row_wise=True,
    num_threads=2,
    verbose=-1,
)


def months(first, last):
    return [str(p) for p in pd.period_range(first, last, freq="M")]


def inputs(frame, categories):
    """Returns the model's inputs, texts as categories of 2023 in sorted order."""
    x = frame.drop(columns=NO_FEATURES)
    for name, values in categories.items():
        x[name] = pd.Categorical(x[name].astype(object), categories=values)
    return x


def main(data):
    features = {m: pd.read_parquet(data / "features" / m) for m in months("2023-01", "2024-06")}
    labels = {m: pd.read_parquet(data / "labels" / f"{m}.parquet") for m in features}
    truth = {m: pd.read_parquet(data / "truth" / f"{m}.parquet") for m in features}

    history = pd.concat([features[m] for m in months("2023-01", "2023-12")], ignore_index=True)
    bought = pd.concat([labels[m].bought for m in months("2023-01", "2023-12")], ignore_index=True)
    texts = ["region", "brand", "segment", "device", "channel", "payment", "loyalty"]
    categories = {c: sorted(history[c].astype(object).unique()) for c in texts}

    model = lgb.train(PARAMS, lgb.Dataset(inputs(history, categories), bought.astype(int)), TREES)
    model.save_model(HERE / "champion.txt")

    good = True
    for m in features:
        x = inputs(features[m], categories)
        assert (features[m].customer_id == labels[m].customer_id).all()
        champion = roc_auc_score(labels[m].bought, model.predict(x))
        oracle = roc_auc_score(labels[m].bought, truth[m].p_untreated)
        print(f"{m}  bought {labels[m].bought.mean():.4f}  AUC champion {champion:.4f}  truth {oracle:.4f}")
        if "2024-01" <= m <= "2024-04":
            good = good and abs(champion - 0.75) <= 0.015
    golden(model, features["2024-01"], categories)
    if not good:
        sys.exit("the champion's AUC from January to April 2024 is not 0.75 +- 0.015")


def golden(model, frame, categories):
    """Writes 40 rows and their scores: 20 as they come, 20 with missing values."""
    gaps = frame[frame[["age", "email_open_rate", "basket_value"]].isna().any(axis=1)]
    rows = pd.concat([frame.head(20), gaps.tail(20)], ignore_index=True)
    x = inputs(rows, categories)
    text = rows.drop(columns=NO_FEATURES).astype(object)
    for name in ("app", "newsletter", "consent"):
        text[name] = text[name].map({True: "true", False: "false"})
    for name in ("age",):
        text[name] = text[name].map(lambda v: "" if pd.isna(v) else str(int(v)))
    text.to_csv(HERE / "golden.csv", index=False, na_rep="", lineterminator="\n")
    with open(HERE / "golden_expected.csv", "w") as out:
        out.write("raw_0,pred_0\n")
        for raw, pred in zip(model.predict(x, raw_score=True), model.predict(x)):
            out.write(f"{raw:.17g},{pred:.17g}\n")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
