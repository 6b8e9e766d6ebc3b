"""The manifest: what a driver has to do, and what of it changed since a version.

May live here: its order, its content, its versions.
"""
