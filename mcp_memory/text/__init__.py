"""What is done to text: masking, judging, wording, identifiers, signatures, periods, tokens."""
