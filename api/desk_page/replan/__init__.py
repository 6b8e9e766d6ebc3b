"""Pages where dispatchers have a day planned again: what they ask for, and the proposal that comes of it.

May live here: what such a page shows. What it asks and decides goes to the API.
"""
