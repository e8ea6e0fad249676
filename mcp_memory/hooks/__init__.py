"""What is said unasked, at the moments that hosts tell; the hook itself is standard library only."""
