"""The feed of facts, written by tracker and API alike: types, entries, numbers, and what follows from facts.

May live here: what makes an entry of the feed, and the states of stops and routes that follow from one.
"""
