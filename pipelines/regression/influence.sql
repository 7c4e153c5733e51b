-- Which penguins sway the model most?
--
-- leverage: how far a row lies from the others in its features. studentized_residual: its error, per its standard error,
-- by the model without it. cooks_distance: how far all predictions move when the row is left out.
-- Notice: the greatest Cook's distance is far below 1. No single penguin decides.
-- The limit: two odd rows side by side hide each other.
select
    species,
    sex,
    bill_length_mm,
    bill_depth_mm,
    flipper_length_mm,
    body_mass_g,
    leverage,
    studentized_residual,
    cooks_distance,
from ml.influence('body_mass')
order by cooks_distance desc
limit 10
