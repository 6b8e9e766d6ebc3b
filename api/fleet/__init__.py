"""Drivers, their devices and shifts, where they are, and what of theirs nobody could use.

May live here: endpoints about people and phones.
"""
