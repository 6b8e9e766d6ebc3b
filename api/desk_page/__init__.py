"""The pages of the desk, where people of the company work.

May live here: the pages themselves and what their forms send; what they show is asked of the rooms below.
"""
