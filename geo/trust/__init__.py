"""Which fixes are believed, and what a believed fix carries.

May live here: judging what phones report, without a plan in view.
"""
