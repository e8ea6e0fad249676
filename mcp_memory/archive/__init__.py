"""Files for an agent's own tools: a folder a session, indexes a project, steps shown within a cap."""
