"""Addresses shown so that whoever has one knows it, and nobody else learns it."""


def hinted(address: str) -> str:
    """Show the end of a number, the begin of an e-mail address and its domain."""
    name, at, domain = address.partition("@")
    return f"{name[:1]}…@{domain}" if at else f"…{address[-2:]}"
