"""What people and programs ask: keys, drivers, routes, positions, events, tracking pages.

What may live here: thin HTTP handlers, the HTTP manners (`problem`, `auth`), what is read back.
What may not: SQL text, geometry, the way of a ping. Imports `sql` and `geo`.
"""
