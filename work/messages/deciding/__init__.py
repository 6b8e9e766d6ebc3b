"""Who is told what, by which channel, and whether it may leave now.

May live here: the way from a notice to a message that is ready, with its last look before it leaves.
"""
