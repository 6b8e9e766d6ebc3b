"""The feed of facts, written by tracker and API alike: entries, numbers, and stops settled by what was said.

May live here: what makes an entry of the feed.
"""
