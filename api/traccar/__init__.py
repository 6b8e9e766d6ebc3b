"""The fleet as Traccar's clients read it: its paths, its words and its units, over what the rooms below know.

May live here: what answers under `/api`, and how a thing of ours is said in Traccar's words. Nothing here writes.
"""
