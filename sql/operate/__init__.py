"""What the operator's commands and the upkeep ask.

May live here: their queries.
"""
