"""Ways to reach recipients, each a small module behind one protocol.

May live here: channels, what a provider takes and gives, and what its callbacks mean.
"""
