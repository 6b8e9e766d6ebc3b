"""The door for phones that speak MQTT: they connect as to a broker, and a message is acknowledged when it is on disk.

May live here: packets of the protocol, and what a connection says to them; what a message holds `ingest/decode` knows.
"""
