"""When a van is at a stop, when it has left it, and when nothing is left to do.

May live here: fences and standing, the pace that tells standing from driving, and the end of a tour.
"""
