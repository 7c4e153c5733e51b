-- How likely is a late arrival, given what is known before, and how much does knowing it change?
--
-- P(late | condition) = P(late and condition) / P(condition). The lift is that over P(late): 1 says
-- that the condition tells nothing. The interval is Wilson's.
-- Notice: leaving late lifts the chance of arriving late fivefold, rain twofold, and the airport
-- hardly at all. p_reverse is the other way round, P(condition | late): five in six late flights left
-- in dry weather, for most weather is dry.
with

late_given as (
    select 'left late' as condition, *
    from ml.conditional_probability('probability.departures', 'is_late', 'left_late')
    union all
    select 'rain', *
    from ml.conditional_probability('probability.departures', 'is_late', 'is_wet')
    union all
    select 'part of day', *
    from ml.conditional_probability('probability.departures', 'is_late', 'part_of_day')
    union all
    select 'airport', *
    from ml.conditional_probability('probability.departures', 'is_late', 'origin')
)

select * from late_given
