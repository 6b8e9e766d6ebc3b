"""Tables of deliveries: routes, stops, plans, manifests, proofs, what drivers said.

May live here: their queries.
"""
