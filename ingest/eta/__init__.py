"""ETAs as a tracker tells them: what moved, who is late, who is near.

May live here: decisions about ETAs; the numbers are `geo.eta`'s.
"""
