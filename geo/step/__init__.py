"""One fix each of drivers on a plan: where on the path, at which stop.

May live here: that step in NumPy, which says what it is, the same compiled from C where a compiler was at hand, and how
the one is chosen, built and held against the other.
"""
