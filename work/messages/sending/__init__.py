"""Messages leave: taken when due, handed to a channel once, written down.

May live here: the sender, and what the `work` role runs of messages.
"""
