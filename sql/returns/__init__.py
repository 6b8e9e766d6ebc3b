"""Returns: what recipients want to give back.

May live here: queries about requests for a return, and about the order by which it is fetched.
"""
