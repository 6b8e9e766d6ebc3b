"""What a dispatcher changes of tours under way: another order of what is ahead, another van for some of it.

May live here: operations on tours that go on, and what they cost. Whole days are planned in `api.planning`.
"""
