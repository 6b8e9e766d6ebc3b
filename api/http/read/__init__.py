"""What comes in with a request, read and judged.

May live here: reading bodies within limits and shares, and naming every mistake in them.
"""
