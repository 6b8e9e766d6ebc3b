"""Imports: sheets of orders and routes come in, and every row has its verdict.

May live here: handlers, the job that goes on with what is not done, and the ways from rows to where orders and routes
are written. What a sheet means is read in `work.imports`.
"""
