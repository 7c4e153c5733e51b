-- Which digit does a cluster hold, and what else?
--
-- The digit that most of its images show, their share (purity), and the runner-up.
-- Notice: zero, four, six and five are groups of their own. Nine and eight, and eight and one, share clusters: seen pixel by
-- pixel they are alike.
-- The limit: naming a cluster by its majority uses the labels. Nobody could have named them without.
with

counts as (
    select cluster, digit, count(*) as n
    from clustering.digit_assignments
    where model = 'digit_clusters'
    group by cluster, digit
),

digit_table as (
    select
        cluster,
        (list(digit order by n desc, digit))[1] as mostly,
        max(n) / sum(n) as purity,
        (list(digit order by n desc, digit))[2] as then_comes,
        sum(n)::bigint as n,
    from counts
    group by cluster
)

select * from digit_table
order by cluster
