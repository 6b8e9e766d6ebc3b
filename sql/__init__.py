"""Everything Postgres: the schema, its migrations, every query, and one typed module per query file.

What may live here: SQL text in `.sql` files, functions that run it and return frozen values, the pool, the
COPY encoder.
What may not: HTTP, geometry, decisions. Imports only `geo` (for the shape of columns).
"""
