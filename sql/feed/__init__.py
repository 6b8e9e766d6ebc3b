"""The feed of facts.

May live here: its queries.
"""
