"""What a tracker knows of its drivers and keeps between takes.

May live here: what is read of the drivers of a take, and caches, each with the version it was read with.
"""
