"""What recipients may do, as rows.

May live here: queries about their wishes, changes, ratings, and how often they may.
"""
