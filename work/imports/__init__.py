"""Sheets that planners send: read, understood by their headings, and turned into bodies of orders and routes.

May live here: readers of files, words for columns, and what cells can mean; pure, but for the process that reads a
stranger's file. What is done with a body belongs to `api.imports`.
"""
