-- How likely is a late arrival of each carrier, and which of these shares can be trusted?
--
-- Two answers from the same counts. The share with Wilson's interval; and the posterior of a prior
-- that is worth 100 flights of the overall share, which draws carriers with few flights towards it.
-- Notice: OO has 29 flights. Its share of 0.21 is a guess, and the posterior stays near the overall
-- 0.157 instead; for UA, with 58,000 flights, the two answers are the same.
with

overall as (select avg(is_late::int) as share from probability.departures),

carriers as (
    select given as carrier, n_given as flights, n_joint as late, p_conditional as late_share, ci_lower, ci_upper, lift
    from ml.conditional_probability('probability.departures', 'is_late', 'carrier')
),

posteriors as (
    select
        carriers.*,
        ml.beta_binomial_posterior(
            late, flights, prior_alpha := 100 * share, prior_beta := 100 * (1 - share)
        ) as posterior,
    from carriers
    cross join overall
),

late_by_carrier as (
    select
        carrier,
        name,
        flights,
        late,
        late_share,
        ci_lower,
        ci_upper,
        lift,
        posterior.mean as posterior_mean,
        posterior.ci_lower as credible_lower,
        posterior.ci_upper as credible_upper,
    from posteriors
    left join nycflights13.airlines using (carrier)
)

select * from late_by_carrier
order by posterior_mean desc
