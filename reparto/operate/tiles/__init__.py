"""The ground of the desk's maps, made of an OpenStreetMap extract.

May live here: `reparto tiles`, and what of an extract becomes tiles.
"""
