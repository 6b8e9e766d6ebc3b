"""Shapes on planes: lines, fences, stretches, gaits.

May live here: geometry that knows nothing of routes.
"""
