"""What a user may give by mistake to a model of any type: an error that says what to do, or an
outcome that is stated here. The types are those of MODEL_TYPES that learn from columns."""

from __future__ import annotations

import datetime
import math
from decimal import Decimal

import pytest

import mlpond
from mlpond.errors import InputError, MlpondError, ModelError, TrainingError
from mlpond.models.families import MODEL_TYPES, find_family
from tests.conftest import record, records, rows
from tests.models.test_all_types import RATINGS, TABLE

KINDS = [kind for kind in MODEL_TYPES if find_family(kind).uses_features]
CLASSIFIERS = [kind for kind in KINDS if find_family(kind).label == "class"]
REGRESSORS = [kind for kind in KINDS if find_family(kind).label == "number"]
WEIGHTED = [
    kind
    for kind in KINDS
    if any(option.name == "instance_weight_col" for option in find_family(kind).options)
]
SETTINGS = {"KMEANS": "num_clusters = 3", "PCA": "num_principal_components = 1"}
# The most columns that a type takes, and what it says where there are more.
TOO_WIDE = {
    "GAUSSIAN_MIXTURE": "512 at most; leave out columns with many categories",
    "KNN_CLASSIFIER": "may have 4096; leave out columns with many categories",
    "KNN_REGRESSOR": "may have 4096; leave out columns with many categories",
    "SVM_CLASSIFIER": "5000 at most; leave out inputs with many categories",
    "SVM_REGRESSOR": "5000 at most; leave out inputs with many categories",
}


@pytest.fixture(scope="module")
def pond():
    with mlpond.connect() as session:
        session.sql(TABLE)
        session.sql(RATINGS)
        yield session


def label_of(kind, class_label="two"):
    return {"class": class_label, "number": "y"}.get(find_family(kind).label)


def create(pond, kind, columns, *, label=None, options="", source="t", name="m"):
    label = label or label_of(kind)
    settings = [SETTINGS.get(kind), options, f"input_label_cols = ['{label}']" if label else ""]
    listed = [columns, label] if label and " as " + label not in columns else [columns]
    pond.sql(
        f"create or replace model {name} options (model_type = '{kind}'"
        f"{''.join(f', {text}' for text in settings if text)}) as "
        f"select {', '.join(listed)} from {source}"
    )


def finite(value):
    """Whether all numbers of a result are finite."""
    if isinstance(value, dict):
        return all(map(finite, value.values()))
    if isinstance(value, list | tuple):
        return all(map(finite, value))
    return not isinstance(value, float) or math.isfinite(value)


def warned(pond):
    return rows(pond, "select warnings from ml.models order by version desc limit 1")[0][0]


@pytest.mark.parametrize("kind", KINDS)
def test_collinear_columns_predict(pond, kind):
    create(pond, kind, "x, 2 * x + 1 as x2, c")
    found = records(pond, "from ml.predict('m', '(select *, 2 * x + 1 as x2 from t)')")
    assert len(found) == 160
    assert finite(found)
    if kind in ("LINEAR_REG", "LOGISTIC_REG", "GLM"):
        assert any("x, x2 are linearly dependent" in text for text in warned(pond))


@pytest.mark.parametrize("kind", KINDS)
def test_constant_columns_are_said(pond, kind):
    constant = "5.0 as k, 'a' as s, null::double as n"
    create(pond, kind, f"x, {constant}")
    for name in "ksn":
        assert any(f"constant: {name} has one value" in text for text in warned(pond)), name
    found = records(
        pond, f"from ml.predict('m', '(select *, {constant.replace(chr(39), chr(39) * 2)} from t)')"
    )
    assert len(found) == 160
    assert finite(found)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_features_that_are_not_finite_are_refused(pond, kind, value):
    with pytest.raises(
        TrainingError, match="column x holds NaN or infinity in 18 rows; make them NULL"
    ):
        create(pond, kind, f"case when x > 1.9 then '{value}'::double else x end as x")


@pytest.mark.parametrize("kind", CLASSIFIERS + REGRESSORS)
@pytest.mark.parametrize("value", ["nan", "inf"])
def test_labels_that_are_not_finite_are_refused(pond, kind, value):
    column = f"case when x > 1.9 then '{value}'::double else round(x) end as l"
    with pytest.raises(
        TrainingError, match="label l is NaN or infinite in 18 rows.*leave them out"
    ):
        create(pond, kind, f"x, {column}", label="l")


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_one_class_is_refused(pond, kind):
    with pytest.raises(TrainingError, match="label l has only the class 'a'; .* at least two"):
        create(pond, kind, "x, 'a' as l", label="l")


LABELS = {
    "x > 0": {True, False},
    "case when x > 0 then 'it''s' else 'no' end": {"it's", "no"},
    "(x > 0)::int": {0, 1},
    "case when x > 0 then 1.5 else 2.25 end": {Decimal("1.50"), Decimal("2.25")},
    "case when x > 0 then 1.5e0 else 2e0 end": {1.5, 2.0},
    "case when x > 0 then date '2020-01-01' else date '2021-02-03' end": {
        datetime.date(2020, 1, 1), datetime.date(2021, 2, 3),
    },
}  # fmt: skip


@pytest.mark.parametrize("kind", CLASSIFIERS)
@pytest.mark.parametrize("label", LABELS)
def test_classes_keep_the_type_of_the_label(pond, kind, label):
    create(pond, kind, f"x, {label} as l", label="l")
    found = {row[0] for row in rows(pond, "select distinct predicted_l from ml.predict('m', 't')")}
    assert found == LABELS[label]
    assert record(pond, "from ml.evaluate('m')")["accuracy"] > 0.95


@pytest.mark.parametrize("kind", REGRESSORS)
@pytest.mark.parametrize("label", ["'a'", "x::varchar", "date '2020-01-01'", "[x]", "x > 0"])
def test_a_number_is_asked_for(pond, kind, label):
    if label == "x > 0" and find_family(kind).boolean_label:
        return
    with pytest.raises(InputError, match="label l has type .* needs a number. For classes use"):
        create(pond, kind, f"x, {label} as l", label="l")


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_classes_that_training_has_not_seen(pond, kind):
    create(pond, kind, "x")
    # of two classes, rows of a third one are left out of the metrics; the confusion matrix has them
    nothing = record(pond, "from ml.evaluate('m', '(select x, ''new'' as two from t)')")
    assert set(nothing.values()) == {None}
    known = record(pond, "from ml.evaluate('m', 't')")
    more = "(select x, two from t union all select x, ''new'' from t)"
    found = record(pond, f"from ml.evaluate('m', '{more}')")
    for name, value in known.items():  # log_loss of scores is NULL
        assert found[name] == (value if value is None else pytest.approx(value, rel=1e-12))
    matrix = rows(pond, f"from ml.confusion_matrix('m', '{more}')")
    assert [row[0] for row in matrix] == ["new", "no", "yes"]
    # of several, the new class counts as wrong
    create(pond, kind, "x, c", label="three")
    known = record(pond, "from ml.evaluate('m', 't')")
    more = "(select x, c, three from t union all select x, c, 7 from t)"
    found = record(pond, f"from ml.evaluate('m', '{more}')")
    assert found["accuracy"] == pytest.approx(known["accuracy"] / 2, rel=1e-12)


@pytest.mark.parametrize("kind", ["KMEANS", "GAUSSIAN_MIXTURE"])
def test_more_clusters_than_rows_that_differ(pond, kind):
    option = "num_clusters" if kind == "KMEANS" else "num_components"
    for query, n in (("1 as a", 1), ("b", 2)):
        with pytest.raises(
            TrainingError,
            match=f"CREATE MODEL m: .*{option} is 3, but there are only {n} diff.*pass {n} or fewer",
        ):
            pond.sql(
                f"create or replace model m options (model_type = '{kind}', {option} = 3) "
                f"as select {query} from t"
            )


@pytest.mark.parametrize("kind", WEIGHTED)
@pytest.mark.parametrize(
    "weight, message",
    [
        ("0", "wt is 0 in every row; at least one weight must be above 0"),
        ("-1", "not a finite number of at least 0 in 160 rows.*Mend it in the query"),
        ("'inf'::double", "NaN or infinite in 160 rows"),
        ("case when b then 1 end", "wt is NULL in 80 rows"),
        ("'a'", "wt has type VARCHAR; it must be a number"),
    ],
)
def test_weights(pond, kind, weight, message):
    with pytest.raises(MlpondError, match=message):
        create(pond, kind, f"x, {weight} as wt", options="instance_weight_col = 'wt'")


@pytest.mark.parametrize("kind", WEIGHTED)
def test_rows_of_weight_zero_are_as_if_they_were_not_there(pond, kind):
    """Up to the spread by which numbers are scaled, which l2_reg = 0 does not see."""
    columns = "x, b, (w > 20)::int as wt"
    create(
        pond,
        kind,
        columns,
        options="instance_weight_col = 'wt'",
        source="(from t where w is not null)",
    )
    found = rows(pond, "select weight from ml.weights('m') where weight is not null")
    create(pond, kind, "x, b", source="(from t where w > 20)")
    expected = rows(pond, "select weight from ml.weights('m') where weight is not null")
    assert len(found) == len(expected)
    for (a,), (b,) in zip(found, expected, strict=True):
        assert a == pytest.approx(b, rel=1e-4, abs=1e-4)  # where an iterative fit stops


@pytest.mark.parametrize("kind", KINDS)
def test_folds_without_rows(pond, kind):
    custom = "cross_validation = 3, fold_method = 'custom', fold_col = 'f'"
    for column, n in (("null::int", 0), ("1", 1)):
        with pytest.raises(TrainingError, match=f"fold_col f has {n} values; .* two folds or more"):
            create(pond, kind, f"x, b, {column} as f", options=custom)
    with pytest.raises(TrainingError, match="fold 21 of 30 has no rows; choose fewer folds"):
        create(pond, kind, "x, b", options="cross_validation = 30", source="(from t limit 20)")
    # numbers that no row has are no folds, and rows without one are trained on alone
    create(pond, kind, "x, b, case when w > 22 then 9 when w > 18 then 2 end as f", options=custom)
    folds = rows(pond, "select distinct fold from ml.out_of_fold('m') order by all")
    assert len(folds) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_rows_to_predict(pond, kind):
    create(pond, kind, "x, c")
    with pytest.raises(
        ModelError,
        match="ml.predict: the rows have no column c, which model m@.* inputs are x, c. Add it",
    ):
        rows(pond, "from ml.predict('m', '(select x from t)')")
    columns = records(pond, "from ml.predict('m', '(select x, c, 7 as extra, w from t limit 1)')")[
        0
    ]
    if kind != "PCA":  # which gives the columns of the data only if asked
        assert {"extra", "w"} <= set(columns)
    assert rows(pond, "from ml.predict('m', '(from t where false)')") == []
    nothing = record(pond, "from ml.evaluate('m', '(from t where false)')")
    if kind != "PCA":  # whose measure is of the model
        assert set(nothing.values()) <= {None, 0}
    with pytest.raises(Exception, match="(?i)convert.*'a'"):
        rows(pond, "from ml.predict('m', '(select ''a'' as x, c from t)')")


@pytest.mark.parametrize("kind", KINDS)
def test_names_that_need_quoting(pond, kind):
    label = label_of(kind)
    renamed = """x as "my ""odd"" col", c as "c'c" """ + (
        f', {label} as "la""b el"' if label else ""
    )
    options = ", input_label_cols = ['la\"b el']" if label else ""
    settings = f", {SETTINGS[kind]}" if kind in SETTINGS else ""
    pond.sql(
        f'create or replace model "my ""odd"" m\'odel" options (model_type = \'{kind}\''
        f"{settings}{options}) as select {renamed} from t"
    )
    name, data = "my \"odd\" m''odel", renamed.replace("'", "''")
    for function in ("predict", "explain_predict", "scores"):
        if function == "predict" or label:
            assert rows(pond, f"from ml.{function}('{name}', '(select {data} from t limit 2)')")
    assert rows(pond, f"from ml.evaluate('{name}')")
    pond.sql('drop model "my ""odd"" m\'odel"')


@pytest.mark.parametrize("kind", KINDS)
def test_no_rows_to_train_on(pond, kind):
    with pytest.raises(TrainingError, match="CREATE MODEL m: the training query gives no rows"):
        create(pond, kind, "x", source="(from t where false)")


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_twenty_thousand_categories(pond, kind):
    source = (
        "(select t.*, 'k' || (i % 20000) as k from range(40000) as r (i) "
        "join (select *, row_number() over () as j from t) as t on t.j = 1 + i % 160)"
    )
    if kind in TOO_WIDE:
        with pytest.raises(MlpondError, match=f"the features make .*{TOO_WIDE[kind]}"):
            create(pond, kind, "k, x", source=source)
        return
    create(pond, kind, "k, x", source=source)
    data = "(select ''k7'' as k, 1e0 as x union all select ''new'', null)"
    found = rows(pond, f"from ml.predict('m', '{data}')")
    assert len(found) == 2
    assert finite(found)


def ratings(pond, query):
    pond.sql(
        "create or replace model m options (model_type = 'matrix_factorization', num_factors = 2) "
        f"as {query}"
    )


def test_ratings_with_one_user_or_one_rating(pond):
    ratings(
        pond,
        'select * replace (1 as "user") from ratings qualify row_number() over (partition by item) = 1',
    )
    assert any("one_id: user has one value" in text for text in warned(pond))
    assert len(rows(pond, "from ml.recommend('m')")) > 0
    ratings(pond, "from ratings limit 1")
    ((rating,),) = rows(
        pond,
        "select predicted_rating from ml.predict('m', '(select 9 as \"user\", ''no'' as item)')",
    )
    assert math.isfinite(rating)


@pytest.mark.parametrize(
    "query, message",
    [
        ("from ratings where false", "gives no rows"),
        ("select * replace (null as item) from ratings", "item is NULL in 150 of 150 rows; leave"),
        ("select * replace ('nan'::double as rating) from ratings", "rating holds NaN or infinity"),
        ("select * replace ('a' as rating) from ratings", "rating has type VARCHAR; ratings need"),
        ("from ratings union all from ratings", "150 ratings are of a user and an item that have"),
        (
            "select * exclude (rating) from ratings",
            "column 'rating' is not known; accepted are: user",
        ),
    ],
)
def test_ratings_that_allow_no_model(pond, query, message):
    with pytest.raises(MlpondError, match=f"CREATE MODEL m: .*{message}"):
        ratings(pond, query)
