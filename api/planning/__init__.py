"""Planning: orders, vehicles, depots and shifts in; plans made, changed, published; what can still be promised.

May live here: bodies and handlers. Tours are found in `work.planning`; routes are written by `api.routes.write`.
"""
