"""What drivers say of their day: read, judged, recorded in one transaction.

May live here: the body of an event, what it means for a stop, what is refused and why.
"""
