"""The way of a ping: received, decoded, kept, tracked.

What may live here: the doors phones knock at, the inbox, the tracker and what they decide.
What may not: geometry (that is `geo`), SQL text. From `api` it uses only the HTTP manners.
"""
