"""The numbers of tours: what drives are like where no road is known, and how far searches look.

As in `geo.numbers`: unit, meaning, source. What an engine is set to stands beside it, in `work.planning`.
"""

# problems -------------------------------------------------------------------------------------------------------------

FOREVER = 1 << 40
"""A moment that never comes, seconds: later than any time a problem has, small enough to be added to others."""

MOST_LOADS = 8
"""Dimensions of a load: kilograms, litres, pallets, crates; more are a mistake."""

TOWN_DETOUR = 1.3
"""Roads of a town to the straight line. TYPICAL_MPS is along straight paths already, so it does not lengthen times."""

# insertion ------------------------------------------------------------------------------------------------------------

TRIED = 12
"""Candidates of all tours that the checker drives again; nearly always the first holds."""

ROUNDED_S = 4
"""By so much times of a tour may differ from sums of its parts: each leg is rounded up for vans of another pace."""

# the order of visits --------------------------------------------------------------------------------------------------

LONGEST_STRETCH = 8
"""Visits of the shorter of two stretches that change places."""

LEAST_GAIN = 1e-9
"""A change that gains less is none: sums of the same drives in another order differ by as much."""

# habits ---------------------------------------------------------------------------------------------------------------

NEAR_M = 100.0
"""A visit of a past tour speaks for today's visits around it, less with the distance (a bell of this width)."""

SAME = 3.0
"""How much more a visit to the very same customer says than one next door."""

UNHEARD = 0.2
"""Votes that a pair needs to be believed by half."""

SOON = 0.2
"""Part of a tour by which one visit must be before another to count nearly whole."""

STRICT = 4.0
"""What going wholly against the votes costs: drives of a usual length, for one visit against all the others."""

MOST_TOURS = 2_000
"""Past tours that are looked at; the last ones count."""

EDIT_GAP = 1_000.0
"""What leaving a visit out costs in the edit distance: more than any two places are apart."""
