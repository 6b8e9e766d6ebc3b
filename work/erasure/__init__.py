"""Forgetting a person who asks for it.

May live here: what goes of a driver and of a recipient, step by step, and the job that goes on with it.
"""
