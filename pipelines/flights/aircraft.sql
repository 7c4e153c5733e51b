-- materialize: view
-- Registered aircraft: size, engine and year built. A seventh of the flights have no match.
with

aircraft as (
    select
        tailnum as tail_number,
        seats,
        engines,
        engine as engine_type,
        year as built_year,
    from nycflights13.planes
)

select * from aircraft
