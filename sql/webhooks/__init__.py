"""Endpoints of webhooks, and what was delivered to them.

May live here: their queries.
"""
