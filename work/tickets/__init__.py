"""Tickets and returns as time goes by: deadlines, and the end of what nobody goes on with.

May live here: until when a company answers, and the jobs that look at it.
"""
