"""Advisory locks: who uses which number. Two words of code that locked the same number would wait for each other.

Each is four or six letters in ASCII, so that `pg_locks` can be read. A number never changes: an older release may still
hold it while a newer one starts.
"""

MIGRATIONS = 0x7265_7061
"""`repa`: one process at a time migrates."""

PARTITIONS = 0x7072_6869
"""`prhi`: one process at a time makes partitions of `ping`."""

KEYS = 0x7265_706B_6579
"""`repkey`: one process at a time rewrites keys of pings."""

NUMBERING = 0x7265_7073_6571
"""`repseq`: one process at a time gives events their place in the feed."""

DETOURS = 0x7265_7064_6574
"""`repdet`: one process at a time matches detours."""

SILENCE = 0x7265_7073_696C
"""`repsil`: one tracker at a time looks for silence."""

LANE_CLASS = 0x6C61_6E65
"""`lane`, with the lane's number: who writes what a tracker reads."""

ROUTE_CLASS = 0x726F_7574
"""`rout`, with a hash of the route's external id: who writes a route."""

ACCOUNT_CLASS = 0x6163_6374
"""`acct`, with the account's number: who changes what all of its drivers are folded by."""

LEARNING_CLASS = 0x6C65_6172
"""`lear`, with the account's number: who learns of an account's drives."""
