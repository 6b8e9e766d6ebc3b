"""What belongs to a whole account: its settings and its API keys.

May live here: endpoints of an account and of its keys.
"""
