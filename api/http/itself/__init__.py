"""What a server says of itself to whoever runs it or writes a client: whether it is well, its numbers, its API.

May live here: endpoints that every process has and that are about no account, and what all answers carry.
"""
