"""What people read: words in their language, colours that can be read.

May live here: catalogues and rules of looks.
"""
