"""The door for assistants: what a tracking page shows and does, as tools of the Model Context Protocol.

May live here: the tools, how they ask the product by HTTP, the process that serves them. It has no database and no key.
"""
