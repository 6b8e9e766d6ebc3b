"""Tickets: what went wrong with a stop, and what was said about it.

May live here: queries about tickets, and about what shows how their stop was served.
"""
