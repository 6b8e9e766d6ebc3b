"""The tracker: takes blocks from the inbox and writes all that follows, exactly once.

May live here: the steps of a take, and what looks after drivers between takes.
"""
