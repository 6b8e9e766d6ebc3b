"""Files on their way to us: in pieces (tus) or whole in a form; begun, received, finished.

May live here: the protocols and what a piece may be.
"""
