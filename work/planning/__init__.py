"""Planning: engines that find tours, each in a process of its own, and what a plan becomes when it is published.

May live here: the engines' adapters and their process, the way from orders to a problem and back to routes.
"""
