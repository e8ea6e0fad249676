"""What is spoken of: records, questions, refs, projects, errors; nothing here does anything."""
