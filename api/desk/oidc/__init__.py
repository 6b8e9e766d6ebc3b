"""Signing in by the identity provider of one's company (OpenID Connect).

May live here: which provider an account has, what is asked of one and held against what it says, whom it means here.
"""
