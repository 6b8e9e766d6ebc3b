"""Roads: the way between places, and the way a phone must have gone. One protocol, an engine behind it or none.

May live here: engines, and the job that matches detours. Never in the way of a ping: a planner who puts a route without
a path waits for it.
"""
