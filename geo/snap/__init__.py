"""Where along its path a van is: hypotheses, weighed by every believed fix.

May live here: what weighs places along a path; nothing that knows stops.
"""
