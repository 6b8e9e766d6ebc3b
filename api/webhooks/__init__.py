"""Webhooks as a company sets them: endpoints, secrets, what was delivered.

May live here: these operations.
"""
