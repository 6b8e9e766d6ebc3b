"""The feed told to programs of others: signed, again and again until they take it, never one held up by another.

May live here: the schedule, signatures, and the sender.
"""
