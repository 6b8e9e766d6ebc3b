"""Data in and out from the shell.

May live here: import, export, replay of recordings.
"""
