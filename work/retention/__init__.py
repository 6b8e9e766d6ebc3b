"""What is kept for how long, and whether it may go now: deleting asks twice.

May live here: the table of classes of data, and the guard in front of every deletion by age.
"""
