"""Addresses: the account's own book of them, and who geocodes for it.

May live here: bodies and handlers. What is known of an address is decided in `work.addresses`.
"""
