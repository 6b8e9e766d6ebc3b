"""What went wrong with a delivery: reported by link or by the company, answered, closed, with what shows how it went.

May live here: tickets on both sides, photos of recipients, evidence, how the company is reached.
"""
