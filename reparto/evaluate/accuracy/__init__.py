"""How well arrivals would have been foretold: `reparto replay --score`, `reparto backtest`.

May live here: the comparison and its page, the parts of an error.
"""
