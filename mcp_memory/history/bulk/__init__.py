"""Bulk: histories that are too large for one machine, prepared in shards by workers elsewhere."""
