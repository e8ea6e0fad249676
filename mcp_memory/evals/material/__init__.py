"""What is asked, and of what: samples, corpora made into banks, packs, talks and their labels."""
