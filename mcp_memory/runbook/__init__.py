"""Instructions for one task: asked for, and assembled from what was found."""
