"""How a company looks to its recipients: its logo.

May live here: what it shows of itself on every page, and where that comes from.
"""
