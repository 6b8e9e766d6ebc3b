"""What a recipient sees with the link in their hand, and nothing else.

May live here: the tracking page, its data and its stream.
"""
