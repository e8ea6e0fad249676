"""Placing: every node of a map has a place of its own, the same each time."""

import math

from hypothesis import given
from hypothesis import strategies as st

from mcp_memory.viewer.placing import placed


@given(
    st.dictionaries(st.text(min_size=1, max_size=4), st.integers(1, 60), min_size=1, max_size=12),
    st.integers(0, 7),
)
def test_nodes_lie_apart_whatever_they_are_tied_to(sizes: dict[str, int], shift: int) -> None:
    groups = {name: [f"{name}/{n}" for n in range(size)] for name, size in sizes.items()}
    nodes = [node for some in groups.values() for node in some]
    ties = {node: nodes[(place * 7 + shift) % len(nodes)] for place, node in enumerate(nodes)}
    places = placed(groups, ties)
    assert set(places) == set(nodes)
    assert places == placed(groups, ties)
    spots = list(places.values())
    for place, one in enumerate(spots):
        for other in spots[place + 1 : place + 40]:
            assert math.dist(one, other) > 1


def test_five_thousand_nodes_are_placed() -> None:
    groups = {f"p{n}": [f"p{n}/{k}" for k in range(100)] for n in range(50)}
    places = placed(groups, {f"p{n}/{k}": f"p{n}/0" for n in range(50) for k in range(1, 100)})
    assert len(set(places.values())) == 5_000
