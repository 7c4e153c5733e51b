"""The nearest rows, exactly (udfs/distance.py) or approximately."""
