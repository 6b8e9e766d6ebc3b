"""What has become too old goes, and tomorrow gets its partition.

May live here: retention and partitions.
"""
