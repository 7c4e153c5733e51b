-- The runs of pipelines and their steps. Moments are in UTC.
create schema if not exists ml;

-- status: running, succeeded, failed, interrupted, or killed (found still running at a later start)
create table if not exists ml.runs (
    run_id varchar primary key,
    pipeline varchar not null,
    status varchar not null,
    started_at timestamp not null,
    finished_at timestamp,
    parameters varchar not null,      -- JSON object of every parameter's value
    selection varchar,                -- the --select expression, NULL for all steps
    mlpond_version varchar not null,
    pid bigint not null,
    host varchar not null,
    error varchar
);

-- status: run, skipped, failed, interrupted, or blocked (something it needs failed in this run)
create table if not exists ml.steps (
    run_id varchar not null,
    pipeline varchar not null,
    step varchar not null,
    kind varchar not null,            -- seed, table, view, model, python or check
    status varchar not null,
    reason varchar not null,          -- why it was run, skipped or blocked
    rows bigint,                      -- rows of the table; for a check those that break the rule, or warn
    seconds double,
    started_at timestamp not null,
    fingerprint varchar,              -- JSON: hashes of the SQL and the inputs, parameters, version
    sql varchar,
    error varchar,
    warning varchar,                  -- how many rows break a rule that only warns, and the first of them
    primary key (run_id, step)
);
alter table ml.steps add column if not exists warning varchar;  -- files of before 2026-11-23 have none
