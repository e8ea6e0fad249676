"""A question, answered: channels, fusion, priors, confidence, passages."""
