"""What the page says, said elsewhere: in a shop's own page, and to a program that answers for it.

May live here: the widget, and what assistants are told. What recipients do is in `api.portal`.
"""
