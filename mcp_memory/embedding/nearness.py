"""Nearness: which of many vectors are near each other."""

from collections.abc import Sequence


def near_pairs(vectors: Sequence[Sequence[float]], least: float) -> list[tuple[int, int, float]]:
    """Places of vectors of length 1 whose cosine is at least so much, nearest first."""
    if len(vectors) < 2:  # noqa: PLR2004 a pair
        return []
    import numpy as np  # heavy: only once vectors are compared

    held = np.asarray(vectors, dtype=np.float32)
    cosines = np.triu(held @ held.T, k=1)
    left, right = np.nonzero(cosines >= least)
    found = zip(left.tolist(), right.tolist(), cosines[left, right].tolist(), strict=True)
    return sorted(found, key=lambda pair: (-pair[2], pair[:2]))
