"""Placing: where the nodes of a map stand, so that what belongs together lies together."""

import math
from collections.abc import Mapping, Sequence

GOLDEN = math.pi * (3 - math.sqrt(5))
"""The angle by which sunflower seeds turn: a disc is filled evenly, in the order that is given."""
_APART = 26.0


def placed(
    groups: Mapping[str, Sequence[str]], ties: Mapping[str, str]
) -> dict[str, tuple[float, float]]:
    """A place for every node: each group a disc of its own, its nodes about what they are tied to.

    `groups`: a name to its nodes, the weightiest first; `ties`: a node to the one that it lies
    beside. The same graph has the same places; time is linear in the nodes.
    """
    radii = {name: _APART * math.sqrt(len(nodes) + 3) for name, nodes in groups.items()}
    centres = _discs(radii)
    made: dict[str, tuple[float, float]] = {}
    for name, nodes in groups.items():
        x, y = centres[name]
        for place, node in enumerate(_together(nodes, ties)):
            far, turn = _APART * math.sqrt(place + 0.5), place * GOLDEN
            made[node] = (round(x + far * math.cos(turn), 1), round(y + far * math.sin(turn), 1))
    return made


def _together(nodes: Sequence[str], ties: Mapping[str, str]) -> list[str]:
    """The nodes in such an order that each follows what it is tied to."""
    known = set(nodes)
    below: dict[str, list[str]] = {}
    for node in nodes:
        if (tied := ties.get(node, "")) in known and tied != node:
            below.setdefault(tied, []).append(node)
    bound = {node for some in below.values() for node in some}
    order: dict[str, None] = {}
    waiting = [node for node in reversed(nodes) if node not in bound]
    while waiting:
        node = waiting.pop()
        if node not in order:
            order[node] = None
            waiting.extend(reversed(below.get(node, ())))
    return list(order | dict.fromkeys(nodes))


def _discs(radii: Mapping[str, float]) -> dict[str, tuple[float, float]]:
    """Centres of discs that do not lie on each other, the largest in the middle."""
    order = sorted(radii, key=lambda name: (-radii[name], name))
    made: dict[str, tuple[float, float]] = {}
    reach = 0.0
    ring: list[str] = []
    turn = 0.0
    for name in order:
        if not made:
            made[name], reach = (0.0, 0.0), radii[name]
            continue
        far = reach + radii[name] + 2 * _APART
        width = 2 * math.asin(min(1.0, (radii[name] + _APART) / far))
        if turn + width > 2 * math.pi:
            reach += 2 * max(radii[one] for one in ring) + 2 * _APART
            ring, turn = [], 0.0
            far = reach + radii[name] + 2 * _APART
            width = 2 * math.asin(min(1.0, (radii[name] + _APART) / far))
        middle = turn + width / 2
        made[name] = (far * math.cos(middle), far * math.sin(middle))
        turn += width
        ring.append(name)
    return made
