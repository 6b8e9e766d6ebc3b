"""The application around the four: the command, settings, wiring, embedded Postgres, simulator, replay, bench.

What may live here: what starts, stops, feeds or measures the product. What may not: product behaviour.
"""
