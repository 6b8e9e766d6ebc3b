"""What is known of credentials, so that not every request asks the database whose they are.

May live here: what one process remembers of them, how long it is believed, how it is asked for again. It knows no HTTP.
"""
