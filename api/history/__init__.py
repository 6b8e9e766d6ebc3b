"""What happened: pings, visits, detours, the feed of facts, reports.

May live here: endpoints that only read what is over.
"""
