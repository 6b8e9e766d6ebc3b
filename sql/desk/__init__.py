"""People who sign in, what they did, what waits for them.

May live here: users and their sessions, links that let them begin, the audit log, alerts.
"""
