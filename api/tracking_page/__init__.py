"""The page that a tracking link opens: usable without scripts, with a form for everything the link may do.

May live here: its words, its forms, how it answers. It decides nothing: it asks the operations that programs ask.
"""
