"""What flows in: transcripts, repositories, imports and pushes, and what is written of them."""
