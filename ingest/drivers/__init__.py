"""What a tracker knows of its drivers and keeps between takes.

May live here: caches, each with the version it was read with.
"""
