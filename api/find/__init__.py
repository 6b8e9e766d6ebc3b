"""Finding a delivery without its link: by the order's number and what only its recipient knows.

May live here: the lookup, its page, and what counts as knowing.
"""
