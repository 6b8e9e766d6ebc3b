"""How good the product is: held against recorded truth.

May live here: scores, back-tests, explanations of a day.
"""
