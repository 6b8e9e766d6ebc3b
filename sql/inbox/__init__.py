"""Tables of what comes in: blocks, what nobody could use of them, and the heartbeats of phones.

May live here: their queries, of the doors that put and of the trackers that take.
"""
