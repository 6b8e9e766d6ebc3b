"""The bytes of proofs: the store, pictures judged and drawn anew, uploads finished, upkeep.

May live here: what API and upkeep both need of files.
"""
