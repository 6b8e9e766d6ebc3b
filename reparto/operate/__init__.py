"""What an operator asks: what runs, what is wrong, which settings are in force.

May live here: commands that look and tell.
"""
