"""Proofs of delivery as they are asked for: lists, links to the bytes, whole files in a form.

May live here: endpoints about proofs.
"""
