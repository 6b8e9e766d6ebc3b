"""A process of ours: how it begins and ends, listens, and says what it does.

May live here: what every role and every command that serves shares.
"""
