"""What people of the company hear when something is wrong: never recipients.

May live here: ways to reach them, and what they are told.
"""
