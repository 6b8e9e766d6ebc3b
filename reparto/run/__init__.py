"""The product runs: settings, wiring, roles, processes.

May live here: what starts, joins and ends the parts.
"""
