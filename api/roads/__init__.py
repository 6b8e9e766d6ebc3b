"""Roads: the way between places, and the way a phone must have gone. One protocol, an engine behind it or none.

Never in the way of a ping: a planner who puts a route without a path waits for it, and `work` matches detours.
"""
