"""What recipients hear, for the company that writes to them: channels, kinds, texts, what was sent, and who wants none.

May live here: these operations, the hooks that providers call back, and the page to unsubscribe.
"""
