"""What a recipient may do with the link in their hand, and what their company reads of it.

May live here: rules of who may change what until when, limits, the changes themselves; the company's side of each.
"""
