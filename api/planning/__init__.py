"""Planning: orders, vehicles, depots and shifts in; plans made, changed, published; what can still be promised.

May live here: bodies, handlers, and the job that lets proposals count by a rule, since that writes routes as a request
does. Tours are found in `work.planning`; routes are written by `api.routes.write`.
"""
