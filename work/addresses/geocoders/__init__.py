"""Geocoders of others: what each is asked, and how its answer is read. One small module each, behind one protocol.

May live here: pure adapters. Asking, waiting and keeping is in `work.addresses.geocode`.
"""
