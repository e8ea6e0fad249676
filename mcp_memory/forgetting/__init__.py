"""What goes: preview, forget, restore, purge, undo."""
