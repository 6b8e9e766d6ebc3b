"""What today's program says of recorded pings, worked out in this process without a database.

May live here: live positions as each ping arrives, ETAs as each was told; what they are held against is elsewhere.
"""
