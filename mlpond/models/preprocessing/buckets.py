"""Buckets: numbers cut at points that are given or learnt, texts spread by their hash.

Buckets are closed on the left. NULL and NaN are in no bucket: NULL.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from mlpond.models.preprocessing.function import (
    CATEGORY,
    REQUIRED,
    Call,
    Found,
    Function,
    Learnt,
    Setting,
    at_least,
    is_boolean,
    is_numeric,
    number_values,
    one_of,
)
from mlpond.models.preprocessing.lookup import category_of
from mlpond.models.preprocessing.scalers import quantiles
from mlpond.sql.templates.quoting import double, string

FORMATS = ("bucket_names", "bucket_ranges", "bucket_ranges_json")
OUTPUT_FORMAT = Setting("output_format", "bucket_names", *one_of(*FORMATS))


def bucket_labels(cuts: list[float], output_format: str) -> list[str]:
    """The texts of the buckets between cuts, from the lowest to the highest."""
    if output_format == "bucket_names":
        return [f"bin_{i + 1}" for i in range(len(cuts) + 1)]
    # as ml.bucket_at writes them
    texts = [str(int(cut)) if cut == int(cut) and abs(cut) < 1e18 else repr(cut) for cut in cuts]
    if output_format == "bucket_ranges":
        bounds = ["(-inf", *(f"[{text}" for text in texts)]
        ends = [*texts, "+inf"]
        return [f"{start}, {end})" for start, end in zip(bounds, ends, strict=True)]
    edges = ["-Infinity", *texts, "Infinity"]
    return [json.dumps({"start": start, "end": end}) for start, end in pairwise(edges)]


def bucket_of(x: str, cuts: list[float], output_format: str) -> str:
    """SQL of the text of the bucket that a number is in."""
    *lower, last = map(string, bucket_labels(cuts, output_format))
    steps = "".join(
        f" when {x} < {double(cut)} then {label}" for cut, label in zip(cuts, lower, strict=True)
    )
    return f"case{steps} when {x} <= 'inf'::double then {last} end"


def _is_ascending(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) > 0
        and all(is_numeric(v) and math.isfinite(v) for v in value)
        and all(a < b for a, b in pairwise(value))
    )


def _bucketize(call: Call, learnt: Learnt) -> str:
    splits = [float(v) for v in call["array_split_points"]]
    if call["exclude_boundaries"]:
        splits = splits[1:-1]
    return bucket_of(f"{call.x}::double", splits, call["output_format"])


def _cuts(call: Call) -> Mapping[str, str]:
    n = call["num_buckets"]
    return {"cuts": quantiles(call, [k / n for k in range(1, n)])}


def _learn_cuts(call: Call, found: Found) -> Learnt:
    # fewer distinct values than buckets: cuts that are equal are one
    cuts = sorted(set(found.values["cuts"] or []))
    return Learnt({}, number_values(cuts, "cut", first=1))


def _quantile_bucketize(call: Call, learnt: Learnt) -> str:
    cuts = learnt.sequence("cut")
    if not cuts:  # there were no numbers
        return "NULL::varchar"
    return bucket_of(f"{call.x}::double", cuts, call["output_format"])


def _hash_bucketize(call: Call, learnt: Learnt) -> str:
    return f"ml.hash_bucketize({category_of(call)}, {call['num_buckets']})"


FUNCTIONS = (
    Function(
        "BUCKETIZE",
        _bucketize,
        settings=(
            Setting(
                "array_split_points", REQUIRED, _is_ascending,
                "an array of finite numbers in ascending order, such as [1, 2, 3]",
            ),
            Setting("exclude_boundaries", False, is_boolean, "TRUE or FALSE"),
            OUTPUT_FORMAT,
        ),
        over="none",
    ),
    Function(
        "QUANTILE_BUCKETIZE",
        _quantile_bucketize,
        settings=(Setting("num_buckets", REQUIRED, *at_least(2, 10_000)), OUTPUT_FORMAT),
        aggregates=_cuts,
        learn=_learn_cuts,
    ),
    Function(
        "HASH_BUCKETIZE",
        _hash_bucketize,
        arguments=(CATEGORY,),
        settings=(Setting("num_buckets", REQUIRED, *at_least(0)),),
        over="none",
    ),
)  # fmt: skip
