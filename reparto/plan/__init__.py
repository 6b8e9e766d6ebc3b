"""`reparto plan`: the planner from the shell, without a server and without a database.

May live here: reading of files that planners exchange, and the commands `solve` and `backtest`.
"""
