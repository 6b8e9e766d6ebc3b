"""Proofs of delivery as they are asked for: lists, and links to the bytes.

May live here: endpoints about proofs.
"""
