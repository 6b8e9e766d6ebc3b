"""What ETAs learn from what is over.

May live here: its jobs.
"""
