"""CREATE MODEL with naive_bayes: against scikit-learn, by SQL alone, and in the plain shell."""

from __future__ import annotations

import numpy as np
import pytest
from pytest import approx
from sklearn.naive_bayes import BernoulliNB, CategoricalNB, GaussianNB, MultinomialNB

import mlpond
from mlpond.errors import InputError, TrainingError
from tests.conftest import record, rows


@pytest.fixture(scope="module")
def trained():
    """Counts, flags and categories of three classes."""
    with mlpond.connect() as session:
        rng = np.random.default_rng(5)
        y = rng.integers(0, 3, 600)
        X = rng.normal(size=(600, 3)) * (1 + y[:, None]) + y[:, None] * [1, 0, -1] + 50
        counts = rng.poisson(1 + (y[:, None] == [0, 1, 2]) * 2)
        codes = (rng.integers(0, 3, 600) + y * (rng.random(600) < 0.4)) % 4
        session.con.execute(
            "create table t (a double, b double, c double, i bigint, j bigint, k bigint, "
            "colour varchar, y varchar)"
        )
        names = np.array(["red", "green", "blue", "grey"])[codes]
        session.con.executemany(
            "insert into t values (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (*x, *n, str(name), "abc"[k])
                for x, n, name, k in zip(X.tolist(), counts.tolist(), names, y, strict=True)
            ],
        )
        yield session


def create(session, columns, options="", name="m", where=""):
    session.sql(
        f"create or replace model {name} options (model_type = 'naive_bayes', "
        f"input_label_cols = ['y'], data_split_method = 'no_split'{options}) "
        f"as select {columns}, y from t {where}"
    )


def probabilities(session, name="m", source="t"):
    """Of the classes in ascending order, shape (n, K)."""
    found = rows(session, f"select predicted_y_probs from ml.predict('{name}', '{source}')")
    return np.array([[p["prob"] for p in row[0]][::-1] for row in found])


def columns(session, names):
    return np.array(rows(session, f"select {names} from t"))


def labels(session, where=""):
    return np.array([row[0] for row in rows(session, f"select y from t {where}")])


def test_gaussian(trained):
    create(trained, "a, b, c")
    X = columns(trained, "a, b, c").astype(float)
    theirs = GaussianNB().fit(X, labels(trained))
    # probabilities near 0 are exp of a difference of some hundred, each rounded by 1e-14
    assert probabilities(trained) == approx(theirs.predict_proba(X), rel=1e-10, abs=1e-300)
    found = rows(
        trained,
        "select mean, variance from ml.class_parameters where distribution = 'gaussian' order by class_label, position",
    )
    expected = np.stack([theirs.theta_.ravel(), theirs.var_.ravel()], axis=1)
    assert np.array(found) == approx(expected, rel=1e-12)
    predicted = [row[0] for row in rows(trained, "select predicted_y from ml.predict('m', 't')")]
    assert predicted == theirs.predict(X).tolist()


def test_bernoulli_and_multinomial(trained):
    X = columns(trained, "i, j, k")
    create(trained, "i, j, k", ", distribution = 'bernoulli', smoothing = 0.5")
    theirs = BernoulliNB(alpha=0.5).fit(X, labels(trained))
    assert probabilities(trained) == approx(theirs.predict_proba(X), rel=1e-12)
    create(trained, "i, j, k", ", distribution = 'multinomial', fit_prior = false")
    theirs = MultinomialNB(fit_prior=False).fit(X, labels(trained))
    assert probabilities(trained) == approx(theirs.predict_proba(X), rel=1e-12)


def test_categorical(trained):
    create(trained, "colour, (i > 1) as many", ", smoothing = 2")
    raw = columns(trained, "colour, (i > 1)::varchar")
    codes = np.stack([np.unique(c, return_inverse=True)[1] for c in raw.T], axis=1)
    theirs = CategoricalNB(alpha=2).fit(codes, labels(trained))
    source = "(select *, i > 1 as many from t)"
    assert probabilities(trained, source=source) == approx(theirs.predict_proba(codes), rel=1e-12)


def test_mixed_columns_multiply(trained):
    create(trained, "a, colour, i, j, k", ", bernoulli_cols = ['i'], multinomial_cols = ['j', 'k']")
    y, parts = labels(trained), []
    parts.append((GaussianNB(), columns(trained, "a").astype(float)))
    colour = np.unique(columns(trained, "colour"), return_inverse=True)[1].reshape(-1, 1)
    parts.append((CategoricalNB(), colour))
    parts.append((BernoulliNB(), columns(trained, "i")))
    parts.append((MultinomialNB(), columns(trained, "j, k")))
    prior = np.log(np.unique(y, return_counts=True)[1] / len(y))
    joint = sum(part.fit(X, y).predict_joint_log_proba(X) - prior for part, X in parts) + prior
    expected = np.exp(joint - np.logaddexp.reduce(joint, axis=1)[:, None])
    assert probabilities(trained) == approx(expected, rel=1e-10)
    assert rows(trained, "select distribution, count(*) from ml.class_parameters where model = 'm' and version = (select max(version) from ml.models where name = 'm') group by all order by all") == [
        ("bernoulli", 3), ("categorical", 12), ("gaussian", 3), ("multinomial", 6), ("prior", 3),
    ]  # fmt: skip


def test_sets_of_words_are_bernoulli(pond):
    words = [["cheap", "now"], ["cheap"], ["lunch", "now"], ["lunch", "lunch"], [], None]
    pond.sql("create table t (words varchar[], y varchar)")
    for entry, y in zip(words, ["spam", "spam", "ham", "ham", "ham", "spam"], strict=True):
        pond.con.execute("insert into t values (?, ?)", [entry, y])
    create(pond, "words")
    flags = np.array(
        [["cheap" in (w or []), "lunch" in (w or []), "now" in (w or [])] for w in words]
    )
    theirs = BernoulliNB().fit(flags, labels(pond))
    assert probabilities(pond) == approx(theirs.predict_proba(flags), rel=1e-12)


def test_evaluation_and_threshold(trained):
    create(trained, "a, b", where="where y <> ''c''".replace("''", "'"))
    source = "(select * from t where y <> ''c'')"
    shares = probabilities(trained, source=source)
    found = record(trained, f"from ml.evaluate('m', data := '{source}')")
    y = labels(trained, "where y <> 'c'")
    assert found["accuracy"] == approx(np.mean((shares[:, 1] >= 0.5) == (y == "b")), rel=1e-12)
    predicted = rows(
        trained, f"select predicted_y from ml.predict('m', '{source}', threshold := 0.9)"
    )
    assert [row[0] == "b" for row in predicted] == (shares[:, 1] >= 0.9).tolist()
    assert len(rows(trained, f"from ml.confusion_matrix('m', data := '{source}')")) == 2
    assert len(rows(trained, f"from ml.roc_curve('m', data := '{source}')")) > 10


def test_what_is_missing_says_nothing(trained):
    create(trained, "a, b, c", name="whole")
    create(trained, "case when c > 50 then a end as a, b, c", name="holes")
    X = columns(trained, "a, b, c").astype(float)
    y = labels(trained)
    found = dict(
        rows(
            trained,
            "select class_label, mean from ml.class_parameters where model = 'holes' and processed_input = 'a'",
        )
    )
    for label in "abc":
        assert found[label] == approx(X[(y == label) & (X[:, 2] > 50), 0].mean(), rel=1e-12)
    b = GaussianNB().fit(X[:, 1:], y).predict_proba(X[:, 1:])
    source = "(select null::double as a, b, c from t)"
    # the variance smoothed by the largest of the columns is 1e-9 of it more in theirs or ours
    assert probabilities(trained, "whole", source) == approx(b, rel=1e-6, abs=1e-12)


def test_priors(trained):
    options = ", class_prior = [('a', 1), ('b', 2), ('c', 5)]"
    create(trained, "a", options)
    X = columns(trained, "a").astype(float)
    theirs = GaussianNB(priors=[1 / 8, 2 / 8, 5 / 8]).fit(X, labels(trained))
    assert probabilities(trained) == approx(theirs.predict_proba(X), rel=1e-10)


@pytest.mark.slow
def test_a_plain_shell_scores_the_same(trained, database, shell):
    with mlpond.connect(database) as session:
        session.con.execute(
            "create table t as select 1.5::double as a, 2 as i, 'red' as colour, 'b' as y limit 0"
        )
        session.con.executemany(
            "insert into t values (?, ?, ?, ?)", rows(trained, "select a, i, colour, y from t")
        )
        create(session, "a, i, colour", ", bernoulli_cols = ['i']")
        query = "select predicted_y, list_transform(predicted_y_probs, lambda p: p.prob) as p from ml.predict('m', 't')"
        expected = rows(session, query)
        metrics = record(session, "from ml.evaluate('m')")
    found = shell(database, query)
    assert [row["predicted_y"] for row in found] == [row[0] for row in expected]
    shares = [row["p"] for row in found]
    assert np.array(shares) == approx(np.array([row[1] for row in expected]), rel=1e-9)
    assert shell(database, "from ml.evaluate('m')")[0] == approx(metrics, rel=1e-9)


def test_large_tables_take_one_scan(pond, monkeypatch):
    from mlpond.models import job

    monkeypatch.setattr(job, "GATHER_FROM", 1000)
    monkeypatch.setattr(job, "GATHER_SAMPLE", 500)
    pond.sql(
        "create table t as select sin(i) * 5 + i / 1e3 as a, cos(i) + 100 as b, i % 3 as y from range(20000) r(i)"
    )
    create(pond, "a, b")
    X = np.array(rows(pond, "select a, b from t"))
    theirs = GaussianNB().fit(X, np.arange(20000) % 3)
    assert probabilities(pond) == approx(theirs.predict_proba(X), rel=1e-10)
    described = {row[0]: row[3] for row in rows(pond, "from ml.feature_info('m')")}
    assert [described["a"], described["b"]] == approx(X.mean(axis=0), rel=1e-12)


def test_transform_is_replayed(trained):
    trained.sql(
        "create or replace model m transform (ML.STANDARD_SCALER(a) over () as a, abs(b - 50) as far, "
        "colour, y) options (model_type = 'naive_bayes', input_label_cols = ['y'], "
        "data_split_method = 'no_split', bernoulli_cols = ['far']) as from t"
    )
    assert probabilities(trained).sum(axis=1) == approx(np.ones(600), rel=1e-12)


def test_signed_counts_are_no_counts(trained):
    with pytest.raises(TrainingError, match="column h has values down to -1.0; a multinomial"):
        trained.sql(
            "create or replace model m transform (ML.HASHED_FEATURES(colour, 4) as h, y) options "
            "(model_type = 'naive_bayes', input_label_cols = ['y']) as from t"
        )


def test_bad_input(trained):
    for columns_, options, error, message in [
        ("a", ", distribution = 'poisson'", InputError, "GAUSSIAN, BERNOULLI, MULTINOMIAL"),
        ("a", ", bernoulli_cols = ['x']", InputError, "which is no feature"),
        ("a", ", bernoulli_cols = ['a'], gaussian_cols = ['a']", InputError, "keep one"),
        ("a", ", smoothing = -1", InputError, "at least 0"),
        ("a", ", class_prior = [('a', 1)]", InputError, "each needs a prior"),
        ("-a as a", ", distribution = 'multinomial'", TrainingError, "0 or more"),
        ("a / 0 as a", "", TrainingError, "NaN or infinity"),
        ("case y when 'a' then 1.0 else a end as a", ", var_smoothing = 0", TrainingError, "set var_smoothing"),
        ("case y when 'a' then 'only' else colour end as colour", ", smoothing = 0", TrainingError, "set smoothing"),
    ]:  # fmt: skip
        with pytest.raises(error, match=message):
            create(trained, columns_, options)
    create(trained, "a, 1.0 as constant")
    assert "constant: constant" in str(
        rows(trained, "select warnings from ml.models order by version desc limit 1")
    )
