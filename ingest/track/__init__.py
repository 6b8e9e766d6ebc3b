"""The tracker: takes blocks from the inbox and writes all that follows, exactly once.

May live here: the steps of a take (`take.py` lists them), what goes through them (`batch.py`), and what looks after
drivers between takes.
"""
