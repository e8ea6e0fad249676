"""What the benchmarks share: servers, banks, rows, transcripts, programs of npm, timing, tables."""
