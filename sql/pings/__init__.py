"""Tables of pings: those that are kept, those that are held back, and the days they are kept by.

May live here: their queries.
"""
