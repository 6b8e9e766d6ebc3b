"""A client of the product over real HTTP, for the simulator, the replayer and the bench.

May live here: what sends, asks and counts.
"""
