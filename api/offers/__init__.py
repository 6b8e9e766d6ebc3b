"""What a company offers its recipients to choose from.

May live here: slots and pick-up points, as those who plan put and read them.
"""
