"""Exports: what happened as files, streamed piece by piece.

May live here: which things there are with which columns, the formats, one operation.
"""
