"""People of the company: how they are let in, sign in and out, and who they are.

May live here: sessions, users, invitations, the pages that let somebody in, the log of what was done,
the alerts that wait for somebody.
"""
