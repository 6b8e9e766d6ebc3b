"""Tables of ETAs: told, learned.

May live here: their queries.
"""
