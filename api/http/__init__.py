"""The HTTP manners that all doors share: who asks, what a body may be, how an error is said.

May live here: what every endpoint needs and none owns.
"""
