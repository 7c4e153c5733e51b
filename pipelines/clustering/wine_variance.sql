-- The variance that each component holds, and how much is held up to it.
select
    principal_component_id + 1 as component,
    eigenvalue,
    explained_variance_ratio,
    cumulative_explained_variance_ratio,
from ml.principal_component_info('wine_components')
order by component
