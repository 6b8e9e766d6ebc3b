"""What a driver's app asks and says.

May live here: rooms for what a driver reads (`manifest`) and says (`events`).
"""
