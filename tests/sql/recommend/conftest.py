"""A table of ratings and its matrix."""

from __future__ import annotations

import numpy as np
import pytest

USERS, ITEMS = 25, 15


@pytest.fixture(scope="module")
def matrix(con):
    """Stars by user (from 1) and item ('i01' …), nan where there are none; in table `ratings`."""
    rng = np.random.default_rng(3)
    stars = np.where(rng.random((USERS, ITEMS)) < 0.4, rng.integers(1, 6, (USERS, ITEMS)), np.nan)
    stars[0] = np.nan
    stars[0, 3] = 4  # one rating
    stars[1] = np.where(np.isnan(stars[1]), np.nan, 2)  # all the same
    con.execute("create or replace table ratings (user_name int, item varchar, stars double)")
    rows = [[u + 1, f"i{i:02d}", stars[u, i]] for u, i in np.argwhere(~np.isnan(stars)).tolist()]
    con.executemany("insert into ratings values (?, ?, ?)", rows)
    # what is left out, and a pair whose two rows average to what the first says
    con.execute(
        "insert into ratings values (null, 'i01', 5), (3, null, 5), (4, 'i02', null), "
        "(5, 'i04', 'nan'), (6, 'i05', 'inf')"
    )
    con.execute("insert into ratings select * from ratings where user_name = 7")
    return stars
