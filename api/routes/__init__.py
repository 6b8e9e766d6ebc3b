"""Routes and their stops as a planner writes and a dispatcher reads them: bodies, paths, links, PINs, ETAs.

May live here: endpoints about routes and what they are made of.
"""
