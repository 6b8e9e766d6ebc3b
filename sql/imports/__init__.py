"""Sheets that planners send, as they are stored until every row has its verdict, and what became of the rows.

May live here: the queries of imports; the orders and routes that come of them are in `sql.planning` and `sql.delivery`.
"""
