"""Questions that have a name: blame, fix, how and restore, answered from what the indexes say of sessions."""
