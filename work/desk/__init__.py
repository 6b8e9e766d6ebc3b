"""What goes on by itself around people who sign in.

May live here: mails that let somebody in, alerts that wait for somebody, and the end of what is over.
"""
