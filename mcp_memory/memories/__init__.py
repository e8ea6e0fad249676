"""What was learned: kept through the gate, proposed, opened, listed."""
