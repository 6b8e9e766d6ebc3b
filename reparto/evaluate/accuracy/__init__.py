"""How well arrivals would have been foretold: `reparto replay --score`.

May live here: the comparison and its page.
"""
