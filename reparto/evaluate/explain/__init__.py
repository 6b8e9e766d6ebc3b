"""One driver's day as one HTML page: what came in, what was made of it, and why.

`sources` reads a day from files or from the product, `fold` runs today's `geo.fold.fold.advance` over it ping by ping,
`page` writes what came out into a page that needs nothing else.

May live here: what reads, compares and draws one day; judgements stay in `geo`.
"""
