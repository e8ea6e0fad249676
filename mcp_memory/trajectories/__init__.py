"""One session, as pure judgements: admitted, cut into episodes, rendered, made into rows, linked."""
