"""What recipients hear: notices, messages, how an account sends them, and who wants none.

May live here: their queries.
"""
