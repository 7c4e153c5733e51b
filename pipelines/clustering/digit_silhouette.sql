-- Are the groups of digits well apart?
--
-- The silhouette of each cluster, on a sample of images compared pair by pair.
-- Notice: zero stands most apart, then six. The others are regions of a continuum rather than islands: handwriting fills
-- the space between the digits.
-- The limit: in 64 dimensions all distances are alike, and silhouettes are low whatever the groups.
select cluster, silhouette, n
from ml.silhouette(
    '(from clustering.digit_assignments join digits using (image_id) where model = ''digit_clusters'')',
    [{% for r in range(1, 9) %}{% for c in range(1, 9) %}'pixel_{{ r }}_{{ c }}'{{ ", " if r * c < 64 }}{% endfor %}{% endfor %}],
    'cluster', method := 'sampled', max_rows := 500, seed := {{ seed }}
)
order by cluster nulls first
