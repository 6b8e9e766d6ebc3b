"""What comes back: receipts of providers, mail that returned, words of recipients.

May live here: what each means for a message or for who gets more.
"""
