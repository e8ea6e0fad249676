"""Evals: how well search finds what it should, measured over the same bank calls as the tools.

One task, one half of its questions, one system:

    mcp-memory eval locomo --data PATH --half first --system ours

Several systems side by side, every question's result kept, two runs compared question by question:

    mcp-memory eval locomo --data PATH --half second -s ours -s fts5 -s bm25 --out RUN
    mcp-memory eval coding_history --data PATH --packs PACKS --half second -s ours -s bm25
    mcp-memory eval compare RUN/locomo.ours.jsonl RUN/locomo.bm25.jsonl

Banks are kept below `--work DIR` by what they were made of, rows' code included: a rerun indexes
nothing. Choose on the half `first`, report on `second`. Baselines rank the same rows, of the same
masked text with the same vectors, that search ranks.

`samples` says what a question and a corpus are, `tasks/` make them of data, `systems/` answer them,
`corpora` makes banks, `running` asks, `scorers` judge, `reports` tell.
"""
