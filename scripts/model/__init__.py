"""What the bundled model is made of: texts, their teacher, and the training."""
