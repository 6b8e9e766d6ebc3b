"""Places of an account's own: geofences.

May live here: endpoints about places.
"""
