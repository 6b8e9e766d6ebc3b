"""Orders as tours: what is asked of a planner, and what is true of what it answers, in whole numbers.

May live here: the problem, the checker, matrices, insertion, habits of drivers. Engines are in `work.planning`.
"""
