"""What nobody waits for: the feed of facts, learning, upkeep, roads, the bytes of proofs.

What may live here: rooms of work that goes on by itself, and what the API and the tracker both need of them.
What may not: HTTP requests and answers, SQL text, geometry. Imports `sql` and `geo`.
"""
