"""A made-up fleet that drives through the real doors.

May live here: vans, their days, and the check of what became of them.
"""
