"""Pure geometry and movement: what follows from pings and plans.

What may live here: functions of their arguments over NumPy columns, and the frozen values they take and give.
What may not: a clock, a socket, a database, global state. Imports nothing of ours.
"""
