"""Addresses: what was seen of them, and what geocoders said.

May live here: the queries of the address book, of geocoders, and of the orders whose place is looked for.
"""
