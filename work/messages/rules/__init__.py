"""What holds of every message: its kind, the address it goes to, the hour it is there.

May live here: rules without a database.
"""
