"""What changes, told at once: one listener a process, fanned out to whoever follows.

May live here: the hub and server-sent events.
"""
