-- Are the masses of penguins normal?
--
-- A normal distribution with the mean and sd of all penguins, of each species, and of each species and
-- sex. The distance is Kolmogorov's: the greatest difference between the share of penguins below a mass
-- and the probability that the model gives it.
-- Notice: a mixture is not normal though its parts may be. Over all penguins the distance is more than
-- twice what chance allows, about 0.8 / sqrt(n) at a mean and sd taken from the same data; within
-- every species and sex it is less.
with

grouped as (
    select 'all' as penguins, body_mass_g as mass
    from penguins
    where body_mass_g is not null
    union all
    select species, body_mass_g
    from penguins
    where body_mass_g is not null
    union all
    select species || ' ' || sex, body_mass_g
    from penguins
    where body_mass_g is not null and sex is not null
),

fitted as (
    select
        *,
        avg(mass) over (partition by penguins) as mean,
        stddev_samp(mass) over (partition by penguins) as sd,
        cume_dist() over (partition by penguins order by mass) as at_most,
        (rank() over (partition by penguins order by mass) - 1) / count(*) over (partition by penguins) as below,
    from grouped
),

penguin_masses as (
    select
        penguins,
        count(*) as n,
        any_value(mean) as mean,
        any_value(sd) as sd,
        max(greatest(at_most - ml.normal_cdf(mass, mean, sd), ml.normal_cdf(mass, mean, sd) - below)) as distance,
        0.8 / sqrt(count(*)) as chance_allows,
    from fitted
    group by penguins
)

select * from penguin_masses
order by penguins = 'all' desc, penguins
