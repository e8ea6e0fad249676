"""The page where a person looks at the memory: sees, asks, corrects and deletes it in a browser."""
