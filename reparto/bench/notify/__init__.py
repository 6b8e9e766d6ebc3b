"""`reparto bench notify`: what leaves one worker, how fast, and what holds it up.

May live here: its parts, and the providers and endpoints that they are told to.
"""
