-- One row: the version of mlpond that wrote the functions of schema ml.
create table if not exists ml.library (
    version varchar not null,
    digest varchar not null,
    duckdb_version varchar not null,
    installed_at timestamp not null,   -- UTC, as all times of schema ml
);
