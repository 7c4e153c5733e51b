-- How many males are found among the penguins of highest probability?
--
-- Tenths of the penguins by score. gain is the share of all males found down to that tenth, lift how many times more that is than
-- by drawing lots.
-- Notice: with half the penguins male, no score can have a lift above 2.
-- The limit: of ranking alone; a score that is twice as high everywhere has the same gains.
with

gains as (
    {% for method in ["by_bill", "by_body", "thumb"] %}
    select '{{ method }}' as method, *
    from ml.gain_lift('(from evaluation.forecasts where method = ''{{ method }}'')', 'is_male', 'probability')
    {{ "union all" if not loop.last }}
    {% endfor %}
)

select * from gains
order by all
