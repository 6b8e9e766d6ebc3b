"""What a message says: texts in each language, filled, as plain words and as a letter.

May live here: the catalog, rendering, and how words are counted.
"""
