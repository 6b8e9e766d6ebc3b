"""What one process can hold for all who ask, and how much of it each of them may have.

May live here: the ledger that shares it out, who is asking, and what every room shares: bodies that come in.
"""
