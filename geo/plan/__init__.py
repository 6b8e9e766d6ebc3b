"""What a fold is held against: routes on their planes, stops, fences, and the facts that follow.

May live here: prepared plans and fences.
"""
