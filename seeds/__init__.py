"""Small tables that come with mlpond: real ones, and generated ones whose truth is known.

A seed is a folder: ``seed.toml`` says where each table comes from and where it goes, the data
files (or the queries that generate the data) lie beside it, and ``README.md`` has source, licence
and the meaning of every column.
"""

from __future__ import annotations

from mlpond.seeds.loader import Seed, find_seed, list_seeds, load

__all__ = ["Seed", "find_seed", "list_seeds", "load"]
