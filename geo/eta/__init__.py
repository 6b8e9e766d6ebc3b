"""When each stop ahead will be reached: estimate, window, and what both learn.

May live here: models of driving and service, their rows and their scores.
"""
