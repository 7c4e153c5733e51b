-- The registry of models: a row a version. A version never changes; its aliases may move.
create table if not exists ml.models (
    name varchar not null,
    version integer not null,
    model_type varchar not null,
    task varchar not null,              -- regression, binary, multiclass; of models without a label, such as clustering
    label varchar not null,             -- empty for a model without a label
    label_type varchar not null,
    classes varchar[],                  -- labels of a classifier, ascending
    features varchar[] not null,        -- names of the inputs, before TRANSFORM
    aliases varchar[] not null,         -- holds 'default' for the version that the bare name means
    training_rows bigint not null,
    evaluation_rows bigint not null,
    training_run integer not null,      -- 0, or how often it was warm-started
    iterations integer not null,
    loss double,
    seconds double not null,
    seed bigint not null,
    warnings varchar[] not null,
    options varchar not null,           -- JSON, as given
    transform varchar,                  -- TRANSFORM clause, as given
    query varchar not null,             -- training query, as given
    evaluation_query varchar not null,  -- the rows that ML.EVALUATE without data looks at
    description varchar,
    labels varchar,                     -- JSON
    expiration_timestamp timestamp,
    created_at timestamp not null,
    mlpond_version varchar not null,
    duckdb_version varchar not null,
    primary key (name, version),
);

-- One row a pass over the data.
create table if not exists ml.training_info (
    model varchar not null,
    version integer not null,
    training_run integer not null,
    iteration integer not null,
    loss double,
    eval_loss double,
    learning_rate double,
    duration_ms bigint,
);

-- Statistics of the inputs as they were at training.
create table if not exists ml.features (
    model varchar not null,
    version integer not null,
    position integer not null,
    input varchar not null,
    type varchar not null,
    min double,
    max double,
    mean double,
    median double,
    stddev double,
    category_count bigint,
    null_count bigint,
    dimension bigint,
);

-- Coefficients of linear models: a row a class, input and category.
create table if not exists ml.coefficients (
    model varchar not null,
    version integer not null,
    class_label varchar,                -- multi-class models only
    position integer not null,
    processed_input varchar not null,
    category varchar,                   -- NULL for a numeric input
    weight double,
    standardized_weight double,
    standard_error double,
    standardized_error double,
    statistic double,                   -- weight / standard_error
    p_value double,
    ci_lower double,
    ci_upper double,
);

-- Regression inference: a row a coefficient of a linear regression without a penalty. Over the
-- training rows, the covariance of two weights is the error variance times the inner product of
-- their factors; see ml.robust_weights.
create table if not exists ml.coefficient_factors (
    model varchar not null,
    version integer not null,
    position integer not null,          -- as in ml.coefficients
    factor double[] not null,
    sum_of_squares double,              -- of the column around its mean; NULL for the intercept
);

-- Regularisation paths of linear models: a row a penalty that was tried, the greatest first.
create table if not exists ml.regularization_path (
    model varchar not null,
    version integer not null,
    step integer not null,              -- from 0
    l1_reg double not null,
    l2_reg double not null,
    df integer not null,                -- weights that are not 0
    loss double,                        -- of the training rows
    eval_loss double,                   -- of the held-out rows, if there are any
    is_chosen boolean not null,         -- whether it is the model
);

-- The weights along the path: a row a weight that is not 0, and the intercepts.
create table if not exists ml.path_weights (
    model varchar not null,
    version integer not null,
    step integer not null,              -- as in ml.regularization_path
    class_label varchar,                -- multi-class models only
    position integer not null,          -- as in ml.coefficients
    weight double not null,
);

-- Factors of recommenders: a row a user, a row an item, and one for the global intercept.
create table if not exists ml.factors (
    model varchar not null,
    version integer not null,
    side varchar not null,              -- user, item or global
    position integer not null,          -- from 0, in the order of the ids
    id varchar,                         -- as text; NULL for the global intercept
    factors double[],
    intercept double not null,
    ratings bigint not null,            -- training ratings of it
);

-- One number a row: fit statistics such as r2, aic, log_likelihood, condition_number.
create table if not exists ml.fit_statistics (
    model varchar not null,
    version integer not null,
    name varchar not null,
    value double,
);

-- How probabilities were calibrated: a row a number, or a knot of a curve.
create table if not exists ml.calibration (
    model varchar not null,
    version integer not null,
    method varchar not null,            -- PLATT, ISOTONIC or TEMPERATURE
    class_label varchar,                -- whose probability; NULL for all at once
    parameter varchar not null,         -- slope, intercept, temperature, or knot
    position integer not null,          -- of a knot, from 0
    score double,                       -- of a knot: the probability before
    value double not null,              -- the number, or the probability after
);

-- The groups of a model with group_cols. The model of group 7 of version 2 of sales is version 7 of
-- sales@2 in the tables of parameters.
create table if not exists ml.groups (
    model varchar not null,
    version integer not null,
    group_id integer not null,          -- from 1
    group_values varchar[] not null,    -- of the columns of group_cols, as text
    training_rows bigint not null,
    evaluation_rows bigint not null,
    loss double,
    seconds double not null,
    status varchar not null,            -- SUCCEEDED, FAILED
    error_message varchar,
    warnings varchar[] not null,
);

-- Trials of hyperparameter tuning. Those of one CREATE MODEL are a job; the model of each is a
-- version of its own, trial_1, trial_2 … among its aliases.
create table if not exists ml.trials (
    model varchar not null,
    version integer,                    -- NULL if the trial failed
    job integer not null,               -- the first version of the job
    trial_id bigint not null,           -- from 1
    hyperparameters varchar not null,   -- JSON
    objective varchar not null,         -- a column of ml.evaluate
    metrics varchar not null,           -- JSON: ml.evaluate on the rows that trials are compared on
    training_metrics varchar not null,  -- JSON: the same on the training rows
    training_loss double,
    eval_loss double,
    status varchar not null,            -- SUCCEEDED, FAILED, INFEASIBLE
    error_message varchar,
    is_optimal boolean not null,
    seconds double,
);

-- Cross-validation: a row a fold and metric.
create table if not exists ml.cross_validation (
    model varchar not null,
    version integer not null,
    fold bigint not null,
    training_rows bigint not null,
    evaluation_rows bigint not null,
    metric varchar not null,            -- a column of ml.evaluate
    training_value double,              -- on the rows that the fold's model was trained on
    value double,                       -- on the rows of the fold
    hyperparameters varchar,            -- JSON: what tuning chose within the fold
);

-- Learning curves: a row a share of the training rows, fold and metric.
create table if not exists ml.learning_curve (
    model varchar not null,
    version integer not null,
    fold bigint,                        -- NULL where the rows held out were predicted
    training_share double not null,
    training_rows bigint not null,
    metric varchar not null,
    training_value double,
    value double,
);

-- What the functions of TRANSFORM learnt: a row a number or a category.
create table if not exists ml.transform_state (
    model varchar not null,
    version integer not null,
    output varchar not null,            -- column of the TRANSFORM clause
    call integer not null,              -- which call in it, from 0
    function varchar not null,
    key varchar not null,               -- such as mean, stddev, category
    position bigint,                    -- index of a category
    number double,
    text varchar,
);

-- Centroids of k-means: a row a centroid, input and category.
create table if not exists ml.centroids (
    model varchar not null,
    version integer not null,
    centroid_id bigint not null,        -- from 1
    position integer not null,
    feature varchar not null,
    category varchar,                   -- NULL for a numeric input
    value double,                       -- of the input; share of a category
    standardized_value double,          -- where distances are measured
);

-- Clusters of k-means after each step; the radius is the root mean squared distance of the rows.
create table if not exists ml.clusters (
    model varchar not null,
    version integer not null,
    iteration integer,                  -- as in ml.training_info; NULL for the fit
    centroid_id bigint not null,
    cluster_radius double,
    cluster_size bigint,
);

-- Components of a Gaussian mixture. The log density of a row x is log_constant less half the
-- squared length of (x - mean) times the whitening, both standardised.
create table if not exists ml.mixture_components (
    model varchar not null,
    version integer not null,
    component bigint not null,          -- from 1
    weight double not null,             -- share of the rows
    log_constant double not null,       -- log of the weight and of the density at the mean
);

create table if not exists ml.mixture_means (
    model varchar not null,
    version integer not null,
    component bigint not null,
    position integer not null,
    feature varchar not null,
    category varchar,                   -- NULL for a numeric input
    mean double,
    standardized_mean double,
);

-- Covariances, and the factor that makes rows of the component standard normal.
create table if not exists ml.mixture_covariances (
    model varchar not null,
    version integer not null,
    component bigint not null,
    position integer not null,          -- as in ml.mixture_means
    other_position integer not null,
    covariance double,                  -- of the inputs
    whitening double,                   -- of the standardised inputs; upper triangular
);

-- Training rows of a k-nearest-neighbours model, encoded.
create table if not exists ml.neighbor_points (
    model varchar not null,
    version integer not null,
    point_id bigint not null,           -- from 1, in the order of the training query
    cell integer,                       -- of the inverted file, from 0; NULL without one
    label varchar,                      -- of a classifier
    value double,                       -- of a regressor
    point double[] not null,
);

-- Centers of the cells of an inverted file.
create table if not exists ml.neighbor_cells (
    model varchar not null,
    version integer not null,
    cell integer not null,
    center double[] not null,
);

-- Principal components: a row a component, input and category.
create table if not exists ml.principal_components (
    model varchar not null,
    version integer not null,
    principal_component_id bigint not null, -- from 0
    position integer not null,
    feature varchar not null,
    category varchar,                   -- NULL for a numeric input
    value double,                       -- of the scaled column
);

-- What each component explains.
create table if not exists ml.principal_component_info (
    model varchar not null,
    version integer not null,
    principal_component_id bigint not null,
    eigenvalue double,
    explained_variance_ratio double,
);

-- Naive Bayes: a row a class, input and category. The prior is the input __PRIOR__.
create table if not exists ml.class_parameters (
    model varchar not null,
    version integer not null,
    class_label varchar not null,
    position integer not null,
    processed_input varchar not null,
    category varchar,                   -- NULL for a numeric input
    distribution varchar not null,      -- prior, gaussian, bernoulli, multinomial or categorical
    mean double,                        -- of a gaussian
    variance double,                    -- of a gaussian, smoothing included
    log_probability double,             -- of the others
);

-- Support vectors of machines with a kernel: a row a training row that holds the margin.
create table if not exists ml.support_vectors (
    model varchar not null,
    version integer not null,
    position integer not null,
    label varchar not null,             -- as in the training rows
    features double[] not null,         -- columns of the design, in the order of ml.coefficients
    vector double[] not null,           -- the same, standardised
    coefficients double[] not null,     -- label times alpha, one a class (one in all for two classes)
    scores double[] not null,           -- of the decision functions
);

-- Random features of a machine with an RBF kernel: phi = cos(frequencies · x + phase), times a constant.
create table if not exists ml.random_features (
    model varchar not null,
    version integer not null,
    position integer not null,
    frequencies double[] not null,      -- of the columns of the design, centred
    phase double not null,
    weights double[] not null,          -- in the decision function, one a class
);

-- Insights of a contribution analysis: a row a segment, the greatest contribution first.
create table if not exists ml.insights (
    model varchar not null,
    version integer not null,
    position bigint not null,           -- from 1
    contributors varchar[] not null,    -- dimension=value; all for the population
    dimension_values varchar[] not null, -- of each dimension; NULL where it is left open
    metric_test double,
    metric_control double,
    difference double,
    relative_difference double,
    unexpected_difference double,       -- of a sum, as the next
    relative_unexpected_difference double,
    metric_test_over_metric_control double, -- of a ratio, as the next three
    metric_test_over_complement double,
    metric_control_over_complement double,
    aumann_shapley_attribution double,
    metric_test_over_population double, -- by category, as the next
    metric_control_over_population double,
    apriori_support double,
    contribution double,
);
