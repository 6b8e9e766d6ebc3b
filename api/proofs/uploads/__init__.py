"""Files in pieces (tus): begun, received, finished.

May live here: the protocol and what a piece may be.
"""
