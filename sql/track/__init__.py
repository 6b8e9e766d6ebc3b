"""Tables of the tracker: inbox, pings, folds, visits, live positions.

May live here: their queries.
"""
