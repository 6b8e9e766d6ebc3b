"""Giving back what was delivered: asked for by link or by the company, decided, fetched, with a label.

May live here: returns on both sides, the order that fetches them, the label.
"""
