"""Pure readers, one module per phone app: bytes in, columns of pings out.

May live here: what judges shape and range, and nothing else.
"""
