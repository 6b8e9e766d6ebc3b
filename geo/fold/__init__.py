"""Where a driver is and was: one pure fold over pings, claims and plans.

May live here: the steps of the fold and the states it takes and gives.
"""
