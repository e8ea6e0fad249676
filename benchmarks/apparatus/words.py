"""Words: what benchmarks make memories and questions of, so that some of them meet."""

WORDS = (
    *("heron", "otter", "build", "cache", "socket", "export", "parser", "retry"),
    *("token", "schema", "index", "worker", "shard", "proxy"),
)
