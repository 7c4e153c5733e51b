"""The same numbers as scikit-learn where the definitions are the same; where not, how they differ."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import (
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    MultiLabelBinarizer,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
)

import mlpond

# A few roundings of quotients and differences; means of 101 values of size 10 round by 1e-14.
CLOSE = {"rel": 1e-12, "abs": 1e-12}
N = 101  # odd, so that the median is one of the values


@pytest.fixture(scope="module")
def pond():
    with mlpond.connect() as session:
        session.sql(
            f"create table t as select i, 10 * sin(i) as x, case when i % 6 <> 0 then cos(i * i) end "
            f"as y, ['pear', 'apple', 'fig'][1 + (i * i) % 3] as g, "
            "['the', chr((97 + i % 5)::int), chr((97 + i % 3)::int)] as w "
            f"from range({N}) r(i)"
        )
        yield session


def ours(pond, *calls: str) -> np.ndarray:
    listed = ", ".join(f"{call} as c{i}" for i, call in enumerate(calls))
    pond.sql(
        f"create or replace model m transform ({listed}, i) options (model_type = 'transform_only') "
        "as select * from t"
    )
    rows = pond.engine.rows("select * exclude (i) from ml.transform('m', 't') order by i")
    return np.array(rows, dtype=object)


def column(pond, name: str) -> np.ndarray:
    values = [row[0] for row in pond.engine.rows(f"select {name} from t order by i")]
    return np.array(values, dtype=object if isinstance(values[0], str) else float).reshape(-1, 1)


@pytest.mark.parametrize(
    "call, peer",
    [
        ("ML.MIN_MAX_SCALER(x) OVER ()", MinMaxScaler(clip=True)),
        ("ML.MAX_ABS_SCALER(x) OVER ()", MaxAbsScaler()),
        # of 101 values the percentages 25, 50 and 75 are elements: nothing to interpolate
        ("ML.ROBUST_SCALER(x) OVER ()", RobustScaler()),
        ("ML.ROBUST_SCALER(x, [10, 60], FALSE) OVER ()",
         RobustScaler(quantile_range=(10, 60), with_centering=False)),
    ],
)  # fmt: skip
def test_scalers(pond, call, peer):
    expected = peer.fit_transform(column(pond, "x"))[:, 0]
    assert ours(pond, call)[:, 0].astype(float) == pytest.approx(expected, **CLOSE)


def test_standard_scaler_divides_by_the_sample_deviation(pond):
    expected = StandardScaler().fit_transform(column(pond, "x"))[:, 0]
    found = ours(pond, "ML.STANDARD_SCALER(x) OVER ()")[:, 0].astype(float)
    assert found == pytest.approx(expected * np.sqrt((N - 1) / N), **CLOSE)


@pytest.mark.parametrize("strategy", ["mean", "median", "most_frequent"])
def test_imputer(pond, strategy):
    pond.sql("create or replace table known as select y from t where y is not null")
    y = column(pond, "y")
    if strategy == "median" and (~np.isnan(y)).sum() % 2 == 0:
        # ours is the lower of the two in the middle
        kept = np.sort(y[~np.isnan(y)])
        expected = np.where(np.isnan(y), kept[kept.size // 2 - 1], y)
    else:
        expected = SimpleImputer(strategy=strategy).fit_transform(y)
    found = ours(pond, f"ML.IMPUTER(y, '{strategy}') OVER ()")[:, 0].astype(float)
    assert found == pytest.approx(expected[:, 0], **CLOSE)


def test_buckets_of_quantiles(pond):
    # five buckets of 101 values: scikit-learn's edges are elements too
    peer = KBinsDiscretizer(
        5, encode="ordinal", strategy="quantile", quantile_method="inverted_cdf",
        subsample=None,
    )  # fmt: skip
    expected = peer.fit_transform(column(pond, "x"))[:, 0]
    found = ours(pond, "ML.QUANTILE_BUCKETIZE(x, 5) OVER ()")[:, 0]
    assert [int(text.removeprefix("bin_")) - 1 for text in found] == expected.tolist()


def test_encoders_number_from_1(pond):
    g = column(pond, "g")
    found = ours(pond, "ML.LABEL_ENCODER(g) OVER ()", "ML.ONE_HOT_ENCODER(g) OVER ()")
    assert found[:, 0].tolist() == (OrdinalEncoder().fit_transform(g)[:, 0] + 1).tolist()
    hot = OneHotEncoder(sparse_output=False).fit_transform(g)
    assert [entry[0]["index"] for entry in found[:, 1]] == (hot.argmax(axis=1) + 1).tolist()


def dense(entries, width: int) -> np.ndarray:
    found = np.zeros((len(entries), width))
    for row, listed in enumerate(entries):
        for entry in listed:
            found[row, entry["index"] - 1] = entry["value"]
    return found


def test_lists_and_words(pond):
    found = ours(
        pond, "ML.MULTI_HOT_ENCODER(w) OVER ()", "ML.BAG_OF_WORDS(w, 99, 1) OVER ()",
        "ML.TF_IDF(w, 99, 1) OVER ()",
    )  # fmt: skip
    documents = [row[0] for row in pond.engine.rows("select w from t order by i")]
    assert (dense(found[:, 0], 6) == MultiLabelBinarizer().fit_transform(documents)).all()
    counts = CountVectorizer(analyzer=list).fit_transform(documents).toarray()
    assert (dense(found[:, 1], 6) == counts).all()
    # tf is a share of the document, and idf ln(1 + n / (1 + df)); there it is 1 + ln((1 + n) / (1 + df))
    peer = TfidfVectorizer(analyzer=list, norm=None)
    expected = peer.fit_transform(documents).toarray()
    df = (counts > 0).sum(axis=0)
    ratio = np.log(1 + N / (1 + df)) / peer.idf_ / 3
    assert dense(found[:, 2], 6) == pytest.approx(expected * ratio, **CLOSE)


def test_rows_as_vectors(pond):
    x = np.hstack([column(pond, "x"), column(pond, "i")])
    found = ours(
        pond, "ML.NORMALIZER([x, i])", "ML.NORMALIZER([x, i], 1)", "ML.NORMALIZER([x, i], '+inf')",
        "ML.POLYNOMIAL_EXPAND(STRUCT(x, i), 3)",
    )  # fmt: skip
    for at, norm in enumerate(("l2", "l1", "max")):
        expected = Normalizer(norm).fit_transform(x)
        assert np.array(found[:, at].tolist(), dtype=float) == pytest.approx(expected, **CLOSE)
    peer = PolynomialFeatures(3, include_bias=False)
    expected = peer.fit_transform(x)
    names = [name.replace("x0", "x").replace("x1", "i") for name in peer.get_feature_names_out()]
    for place, name in enumerate(names):
        field = "_".join(
            part for factor in name.split(" ")
            for part in [factor.partition("^")[0]] * int(factor.partition("^")[2] or 1)
        )  # fmt: skip
        values = [row[field] for row in found[:, 3]]
        assert values == pytest.approx(expected[:, place], **CLOSE)
