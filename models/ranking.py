"""The orders of votes as SQL expressions, for stored generated columns.

So they can't drift from the votes they are made of, and an index can hold them.
"""

SCORE = "up - down"

# Lower bound of the Wilson score interval for up / (up + down), at 80 % confidence
# (z = 1.281551565545): Evan Miller, "How Not To Sort By Average Rating", 2009.
BEST = """
CASE WHEN up + down = 0 THEN 0::float8 ELSE
  (up::float8 / (up + down) + 1.642374415 / (2 * (up + down))
   - 1.281551565545 * sqrt(
       (up::float8 / (up + down) * (down::float8 / (up + down)) + 1.642374415 / (4 * (up + down)))
       / (up + down)))
  / (1 + 1.642374415 / (up + down))
END
"""

# Reddit's "hot": ten times the votes weigh as much as 12.5 hours (45,000 s).
# AT TIME ZONE makes the expression immutable, as a generated column must be.
HOT = """
sign(up - down) * log(greatest(abs(up - down), 1)::float8)
+ extract(epoch FROM created_at AT TIME ZONE 'UTC')::float8 / 45000
"""

# Reddit's "controversial": many votes, evenly split. Nothing is controversial without both sides.
CONTROVERSY = """
CASE WHEN up = 0 OR down = 0 THEN 0::float8
ELSE power((up + down)::float8, least(up, down)::float8 / greatest(up, down)) END
"""
