"""Reports: what tours of a period came to, counted.

May live here: statements that count over many tours. Nothing here writes.
"""
