"""Tables of an account: keys, drivers, devices, shifts, geofences.

May live here: their queries.
"""
