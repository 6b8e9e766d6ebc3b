"""Planning as it is stored: orders, vehicles, depots, shifts, plans.

May live here: what the planner reads and writes; routes that come of it are written in `sql.delivery`.
"""
