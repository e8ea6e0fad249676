"""Remote: this machine as the client of a bank elsewhere: push, pull, and a bridge for stdio hosts."""
