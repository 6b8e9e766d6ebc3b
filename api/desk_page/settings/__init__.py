"""Pages where people of the company set what is theirs, or the account's.

May live here: what such a page shows. Its forms ask the API, which decides who may, checks what is sent, and logs it.
"""
