"""Everything that takes pings, as one part of an application.

May live here: doors, each with the manner of its kind of client, and what keeps one client from hurting the others.
"""
