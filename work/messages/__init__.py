"""What recipients hear: messages that rest on facts and leave once, in their words, at a decent hour.

May live here: rules of when and to whom, texts, channels, the sender, and what is read back.
"""
