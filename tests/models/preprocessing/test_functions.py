"""The worked values of BigQuery's functions, and what NULL, NaN and thin data come to."""

from __future__ import annotations

import math

import pytest

from mlpond.errors import InputError, StatementError, TrainingError
from tests.models.preprocessing.calls import state, transformed

ROWS = "1, 2, 3, 4, 5"
NAN, INF = "'nan'::double", "'inf'::double"


@pytest.mark.parametrize(
    "call, expected",
    [
        # the pages of the functions, and /1.8 of the reference: 1 to 5
        ("ML.STANDARD_SCALER(x) OVER ()", [-1.2649, -0.6325, 0.0, 0.6325, 1.2649]),
        ("ML.MIN_MAX_SCALER(x) OVER ()", [0.0, 0.25, 0.5, 0.75, 1.0]),
        ("ML.MAX_ABS_SCALER(x) OVER ()", [0.2, 0.4, 0.6, 0.8, 1.0]),
        ("ML.ROBUST_SCALER(x, [25, 75]) OVER ()", [-1.0, -0.5, 0.0, 0.5, 1.0]),
        ("ML.ROBUST_SCALER(x, [25, 75], FALSE) OVER ()", [0.5, 1.0, 1.5, 2.0, 2.5]),
        ("ML.ROBUST_SCALER(x, [25, 75], TRUE, FALSE) OVER ()", [-2.0, -1.0, 0.0, 1.0, 2.0]),
    ],
)
def test_scalers_give_the_published_values(pond, call, expected):
    # four decimals are printed
    assert transformed(pond, call, ROWS) == pytest.approx(expected, abs=5e-5)


def test_quantiles_are_elements_of_the_data(pond):
    found = transformed(pond, "ML.ROBUST_SCALER(x) OVER ()", "-3, 1, 2, 3, 4, 5")
    assert state(pond) == {"lower": ["1.0"], "median": ["2.0"], "upper": ["4.0"]}
    assert found == pytest.approx([-5 / 3, -1 / 3, 0, 1 / 3, 2 / 3, 1], rel=1e-15)


SCALERS = ["STANDARD_SCALER", "MIN_MAX_SCALER", "MAX_ABS_SCALER", "ROBUST_SCALER"]


@pytest.mark.parametrize("name", SCALERS)
def test_scalers_pass_null_and_nan_on_and_learn_from_finite_numbers(pond, name):
    clean = transformed(pond, f"ML.{name}(x) OVER ()", "1e0, 2e0, 6e0")
    found = transformed(pond, f"ML.{name}(x) OVER ()", f"1e0, NULL, 2e0, {NAN}, 6e0, {INF}")
    assert [found[0], found[2], found[4]] == clean
    assert found[1] is None
    assert math.isnan(found[3])


@pytest.mark.parametrize("name", SCALERS)
def test_scalers_of_nothing_and_of_one_value(pond, name):
    nothing = transformed(pond, f"ML.{name}(x) OVER ()", "NULL, NULL", "1, NULL", "double")
    assert nothing == [None, None]
    (warnings,) = pond.engine.row("select warnings from ml.models where name = 'm'")
    assert any("nothing_learnt: out" in text for text in warnings)
    constant = transformed(pond, f"ML.{name}(x) OVER ()", "0, 0, NULL", "0, NULL")
    assert constant == [0.0, None]


def test_new_values_beyond_the_training_rows(pond):
    new = f"-10, 3, 10, {INF}, -{INF}"
    found = transformed(pond, "ML.MIN_MAX_SCALER(x) OVER ()", ROWS, new, "double")
    assert found == [0.0, 0.5, 1.0, 1.0, 0.0]  # kept within [0, 1]
    assert transformed(pond, "ML.MAX_ABS_SCALER(x) OVER ()", ROWS, "-10", "double") == [-2.0]
    # a constant column: whatever comes is 0, but a robust scaler centres
    assert transformed(pond, "ML.STANDARD_SCALER(x) OVER ()", "7, 7", "9") == [0.0]
    assert transformed(pond, "ML.ROBUST_SCALER(x) OVER ()", "7, 7, 7, 7, 8", "9") == [2.0]


@pytest.mark.parametrize(
    "call, expected",
    [
        ("ML.BUCKETIZE(x, [1, 2, 3])", ["bin_3"]),
        ("ML.BUCKETIZE(x, [1, 2, 3], TRUE)", ["bin_2"]),
        ("ML.BUCKETIZE(x, [2.5, 4.6], FALSE, 'bucket_ranges')", ["[2.5, 4.6)"]),
        ("ML.BUCKETIZE(x, [3], FALSE, 'bucket_ranges')", ["(-inf, 3)"]),
        ("ML.BUCKETIZE(x, [1, 2], FALSE, 'bucket_ranges')", ["[2, +inf)"]),
        (
            "ML.BUCKETIZE(x, [1, 2.5, 4.6], TRUE, 'bucket_ranges_json')",
            ['{"start": "2.5", "end": "Infinity"}'],
        ),
        ("ML.BUCKETIZE(x, [1, 2], TRUE)", ["bin_1"]),
    ],
)
def test_bucketize(pond, call, expected):
    assert transformed(pond, call, "2.5") == expected


def test_the_clause_writes_a_bucket_as_the_macro_does(pond):
    for cut in (1e17, 1e18, 1e300, -0.0, 1e-5, 0.1 + 0.2):
        call = f"BUCKETIZE(x, [{cut!r}], FALSE, 'bucket_ranges')"
        (expected,) = pond.engine.row(f"select ml.{call} from (select 'inf'::double as x)")
        assert transformed(pond, f"ML.{call}", INF) == [expected]


def test_buckets_are_closed_on_the_left_and_hold_no_nan(pond):
    new = f"1, 2, NULL, {NAN}, {INF}, -{INF}"
    found = transformed(pond, "ML.BUCKETIZE(x, [1, 2])", new, None, "double")
    assert found == ["bin_2", "bin_3", None, None, "bin_3", "bin_1"]


def test_quantile_bucketize(pond):
    found = transformed(pond, "ML.QUANTILE_BUCKETIZE(x, 3) OVER ()", ROWS)
    assert found == ["bin_1", "bin_2", "bin_2", "bin_3", "bin_3"]
    assert state(pond) == {"cut": ["2.0", "4.0"]}
    call = "ML.QUANTILE_BUCKETIZE(x, 3, 'bucket_ranges') OVER ()"
    assert transformed(pond, call, ROWS)[1:4] == ["[2, 4)", "[2, 4)", "[4, +inf)"]
    # fewer distinct values than buckets: fewer buckets, without gaps
    few = transformed(pond, "ML.QUANTILE_BUCKETIZE(x, 10) OVER ()", "1, 1, 1, 2", "0, 1, 2")
    assert few == ["bin_1", "bin_2", "bin_3"]
    assert transformed(pond, "ML.QUANTILE_BUCKETIZE(x, 2) OVER ()", "NULL", "1", "int") == [None]


def test_hash_bucketize_is_md5(pond):
    import hashlib

    found = transformed(pond, "ML.HASH_BUCKETIZE(x, 0)", "'a', 'héllo', '', NULL")
    expected = [
        int.from_bytes(hashlib.md5(text.encode()).digest()[8:], "little", signed=True)
        for text in ("a", "héllo", "")
    ]
    assert found == [*expected, None]
    found = transformed(pond, "ML.HASH_BUCKETIZE(x, 7)", "'a', 'héllo', '', NULL")
    assert found == [*(h % 2**64 % 7 for h in expected), None]


@pytest.mark.parametrize(
    "strategy, values, expected",
    [
        ("mean", "NULL, -3, -3, -3, 1, 2, 3, 4, 5", 0.75),
        ("median", "NULL, -3, -3, -3, 1, 2, 3, 4, 5", 1.0),  # the lower of the two in the middle
        ("most_frequent", "NULL, -3, -3, -3, 1, 2, 3, 4, 5", -3.0),
        ("most_frequent", "NULL, 2, 1", 1.0),  # of equals the least
        ("most_frequent", "NULL, 'b', 'b', 'a'", "b"),
        ("most_frequent", "NULL, true, false, true", "true"),
        ("mean", f"NULL, {NAN}, 1e0, 3e0, {INF}", 2.0),
    ],
)
def test_imputer(pond, strategy, values, expected):
    found = transformed(pond, f"ML.IMPUTER(x, '{strategy}') OVER ()", values)
    assert found[0] == expected
    if "nan" in values:
        assert found[1:] == [2.0, 1.0, 3.0, math.inf]


def test_imputer_of_nothing_leaves_null(pond):
    for kind in ("double", "integer"):
        for strategy in ("mean", "median", "most_frequent"):
            call = f"ML.IMPUTER(x, '{strategy}') OVER ()"
            assert transformed(pond, call, "NULL", "NULL, 2", kind) == [None, 2.0]
    found = transformed(pond, "ML.IMPUTER(x, 'most_frequent') OVER ()", "NULL", "NULL, 'a'", "text")
    assert found == [None, "a"]


def test_label_encoder(pond):
    rows = "'a', 'b', 'b', 'c', 'c', NULL, 'c', 'd', 'd'"
    found = transformed(
        pond, "ML.LABEL_ENCODER(x, 2, 2) OVER ()", rows, "'a', 'b', 'c', 'd', NULL, 'z'"
    )
    assert found == [0, 1, 2, 0, 0, 0]  # c, then b before d, as often and before it by name
    assert transformed(pond, "ML.LABEL_ENCODER(x) OVER ()", rows, "'c', 'z'") == [0, 0]  # 5 needed
    assert transformed(pond, "ML.LABEL_ENCODER(x, 9, 0) OVER ()", "NULL", "'c'", "text") == [0]
    odd = "'it''s', '', ' ', 'é', 'A'"
    found = transformed(pond, "ML.LABEL_ENCODER(x, 9, 0) OVER ()", odd)
    assert found == [4, 1, 2, 5, 3]  # by the bytes


def test_one_hot_encoder(pond):
    call = "ML.ONE_HOT_ENCODER(x, 'most_frequent', 10, 0) OVER ()"
    found = transformed(pond, call, "'b', 'b', 'a'", "'a', 'b', NULL, 'z'")
    assert found == [
        [{"index": index, "value": value}] for index, value in ((1, 1.0), (2, 0.0), (0, 1.0), (0, 1.0))
    ]  # fmt: skip
    # numbers and truth values are categories too
    found = transformed(pond, "ML.ONE_HOT_ENCODER(x, 'none', 10, 0) OVER ()", "10, 9, NULL")
    assert [entry["index"] for (entry,) in found] == [1, 2, 0]


def test_multi_hot_encoder(pond):
    call = "ML.MULTI_HOT_ENCODER(x, 10, 2) OVER ()"
    rows = "['b', 'a', 'b'], ['a', NULL, 'z'], [], NULL"
    found = transformed(pond, call, rows, f"{rows}, ['new']")
    pairs = [None if row is None else [(e["index"], e["value"]) for e in row] for row in found]
    assert pairs == [[(1, 1.0), (2, 1.0)], [(0, 1.0), (1, 1.0)], [], None, [(0, 1.0)]]


def test_words(pond):
    documents = "['I', 'like', 'pie', 'pie', 'pie', NULL], ['yum', 'yum', 'pie', NULL]"
    found = transformed(pond, "ML.BAG_OF_WORDS(x, 32, 1) OVER ()", documents)
    pairs = [[(e["index"], e["value"]) for e in row] for row in found]
    # the example of the page of ML.BAG_OF_WORDS
    assert pairs == [[(0, 1), (1, 1), (2, 1), (3, 3)], [(0, 1), (3, 1), (4, 2)]]
    found = transformed(
        pond, "ML.TF_IDF(x, 1, 1) OVER ()", documents, f"{documents}, [], NULL, ['x']"
    )
    pairs = [None if row is None else [(e["index"], e["value"]) for e in row] for row in found]
    # only pie is kept; both documents have it, and both have unknown words
    idf = math.log(1 + 2 / 3)
    assert pairs == [
        [(0, pytest.approx(3 / 6 * idf)), (1, pytest.approx(3 / 6 * idf))],
        [(0, pytest.approx(3 / 4 * idf)), (1, pytest.approx(1 / 4 * idf))],
        [], None, [(0, pytest.approx(idf))],
    ]  # fmt: skip


@pytest.mark.parametrize(
    "call, expected",
    [
        ("ML.NGRAMS(['a', 'b', 'c'], [2, 3], '#')", ["a#b", "a#b#c", "b#c"]),
        ("ML.NGRAMS(['a', 'b', NULL, 'c'], 2)", ["a b", "b c"]),
        ("ML.NGRAMS(['a'], 2)", []),
        ("ML.LP_NORM([3, -4], 2)", 5.0),
        ("ML.LP_NORM([3, -4], 1)", 7.0),
        ("ML.NORMALIZER([])", []),
        ("ML.LP_NORM([3, -4, 0], 0)", 2.0),
        ("ML.LP_NORM([3, -4], '+inf')", 4.0),
        ("ML.LP_NORM([3, -4], 3)", (27 + 64) ** (1 / 3)),
        # the page of ML.NORMALIZER
        (
            "ML.NORMALIZER([1, 2, 3, 4, 5])",
            [0.13483997249264842, 0.26967994498529685, 0.40451991747794525, 0.5393598899705937,
             0.674199862463242],
        ),
        ("ML.NORMALIZER([1, 3], 1)", [0.25, 0.75]),
        ("ML.NORMALIZER([0, 0])", [0.0, 0.0]),
        ("ML.DISTANCE([1, 2], [4, 6])", 5.0),
        ("ML.DISTANCE([1, 2], [4, 6], 'MANHATTAN')", 7.0),
        ("ML.DISTANCE([1, 0], [1, 1], 'COSINE')", 1 - 1 / math.sqrt(2)),
        ("ML.DISTANCE([('a', 1), ('b', 2)], [('b', 6), ('c', 3)])", math.sqrt(1 + 16 + 9)),
        ("ML.DISTANCE([{'k': 1, 'v': 3}], [{'k': 2, 'v': 4}], 'MANHATTAN')", 7.0),
        (
            "ML.FEATURE_CROSS(STRUCT('a' AS f1, 'b' AS f2, 'c' AS f3))",
            {"f1_f2": "a_b", "f1_f3": "a_c", "f2_f3": "b_c"},
        ),
        ("ML.FEATURE_CROSS(STRUCT('a' AS f1, NULL AS f2))", {"f1_f2": None}),
        (
            "ML.POLYNOMIAL_EXPAND(STRUCT(2 AS f1, 3 AS f2))",
            {"f1": 2.0, "f1_f1": 4.0, "f1_f2": 6.0, "f2": 3.0, "f2_f2": 9.0},
        ),
        ("ML.POLYNOMIAL_EXPAND({'a': 2}, 3)", {"a": 2.0, "a_a": 4.0, "a_a_a": 8.0}),
        ("ML.BUCKETIZE(ML.DISTANCE([1], [3]), [1, 2])", "bin_3"),  # one inside another
    ],
)  # fmt: skip
def test_functions_of_a_row(pond, call, expected):
    (found,) = transformed(pond, call, "1")
    if (
        isinstance(expected, (float, list))
        and expected
        and not isinstance(expected[0] if isinstance(expected, list) else 0.0, str)
    ):
        assert found == pytest.approx(expected, rel=1e-15)
    else:
        assert found == expected


@pytest.mark.parametrize(
    "call, error, message",
    [
        ("ML.STANDARD_SCALER('a') OVER ()", InputError, "x has type VARCHAR; it must be a number"),
        ("ML.STANDARD_SCALER(y) OVER ()", InputError, "DuckDB refused y"),
        ("ML.BUCKETIZE(x, [1, 2]) OVER ()", StatementError, "leave OVER"),
        ("ML.BUCKETIZE(x, [2, 1])", StatementError, "ascending order"),
        ("ML.BUCKETIZE(x)", StatementError, "it takes \\(x, array_split_points \\[, exclude"),
        ("ML.BUCKETIZE(x, [1], TRUE, 'names')", StatementError, "output_format is 'names'"),
        ("ML.QUANTILE_BUCKETIZE(x, 1) OVER ()", StatementError, "from 2 to 10000"),
        ("ML.ROBUST_SCALER(x, [75, 25]) OVER ()", StatementError, "two percentages"),
        ("ML.IMPUTER(x, 'mode') OVER ()", StatementError, "'mean', 'median' or 'most_frequent'"),
        ("ML.IMPUTER('a', 'mean') OVER ()", InputError, "cast it to a number"),
        ("ML.MULTI_HOT_ENCODER(x) OVER ()", InputError, "it must be a list"),
        ("ML.LABEL_ENCODER([x]) OVER ()", InputError, "a simple type"),
        ("ML.LP_NORM([x], 0.5)", StatementError, "at least 1, or '\\+inf'"),
        ("ML.DISTANCE([x], [('a', 1)])", InputError, "use one form"),
        ("ML.DISTANCE([{'k': 1}], [{'k': 1}])", InputError, "a list of numbers or of \\(key, value"),
        ("ML.FEATURE_CROSS(STRUCT(x))", InputError, "has 1 fields; it must have 2 to 10"),
        ("ML.NORMALIZER(['a'])", InputError, "has type VARCHAR\\[\\]; it must be a list of numbers"),
        ("ML.POLYNOMIAL_EXPAND(STRUCT('a' AS a))", InputError, "it must be a number"),
        ("ML.POLYNOMIAL_EXPAND(STRUCT(x, x AS y), 5)", StatementError, "from 1 to 4"),
        ("ML.FEATURE_CROSS(x)", InputError, "a STRUCT, as STRUCT"),
        ("ML.FEATURE_CROSS(STRUCT(x, x + 1))", StatementError, "expected `value AS name`"),
        ("ML.BUCKETIZE(ML.STANDARD_SCALER(x) OVER (), [1])", StatementError, "inside another"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_by_name(pond, call, error, message):
    with pytest.raises(error, match=message):
        transformed(pond, call, ROWS)


def test_no_rows_are_refused(pond):
    with pytest.raises(TrainingError, match="gives no rows"):
        pond.sql(
            "create model m transform (ML.STANDARD_SCALER(x) OVER () as x) options "
            "(model_type = 'transform_only') as select 1 as x where false"
        )
