"""The certificate of a delivery: one sheet, shown as a page and as a PDF.

May live here: what turns an outcome and its proofs into a sheet, and draws it.
"""
