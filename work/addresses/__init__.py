"""Addresses: where an order is, how well that is known, and what deliveries teach of it.

May live here: what is doubtful about a place, how addresses are written, the account's own book of them, geocoders.
"""
