"""Reports: what tours of a period came to, with how many things each share rests on.

May live here: reading what is asked of a report, its rows, the operations. What ETAs came to is in `history`.
"""
