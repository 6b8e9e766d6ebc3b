"""Pings in: load on the doors, and what a ping costs.

May live here: benches of a ping's way to its table, and what sends for them and for other benches.
"""
