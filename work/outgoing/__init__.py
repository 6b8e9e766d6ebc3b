"""What leaves the installation: guarded connections, sealed secrets, and senders that one slow receiver cannot stop.

May live here: what messages and webhooks both need to reach others.
"""
