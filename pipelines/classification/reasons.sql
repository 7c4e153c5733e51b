-- Why did the model judge as it did?
--
-- For the test tumours that it is most wrong about: the three measurements that moved the log-odds most, exact Shapley
-- values of a linear score. An attribution above 0 speaks for malignant, below 0 for benign.
-- Notice: baseline and all attributions add up to the log-odds (a check). Texture alone decides several of these
-- errors: even nuclei in a malignant tumour, uneven ones in a benign one.
-- The limit: radius, perimeter and area are one thing measured three times, and share its credit.
with

explained as (
    select *
    from ml.explain_predict('malignant', '(from classification.tumours where part = ''test'')', top_k_features := 10)
),

judged as (
    select
        explained.sample_id,
        explained.diagnosis,
        scores.probability,
        ln(scores.probability / (1 - scores.probability)) as log_odds,
        abs(scores.probability - scores.is_malignant::int) as off_by,
        baseline_prediction_value as baseline,
        top_feature_attributions as attributions,
    from explained
    join classification.tumour_scores as scores using (sample_id)
    where scores.model = 'malignant'
),

reasons as (
    select
        * exclude (attributions),
        list_sum(list_transform(attributions, lambda a: a.attribution)) as total_attribution,
        unnest(list_transform(attributions[:3], lambda a: a.feature)) as feature,
        unnest(list_transform(attributions[:3], lambda a: a.attribution)) as attribution,
    from judged
    qualify dense_rank() over (order by off_by desc, sample_id) <= 5
)

select * from reasons
order by off_by desc, sample_id, abs(attribution) desc
