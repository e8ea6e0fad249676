"""Training: token vectors whose mean ranks texts as a teacher does, in numpy."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse
from tokenizers import Tokenizer

RESERVED = 999
"""Tokens below this number are marks and places held free: they weigh nothing."""
BATCH = 384
HEAT, COLD = 3.0, 0.05
"""How sharply likenesses are told apart: the student's at first, as a logarithm, and the teacher's."""
RATE, MOMENTUM, SQUARES = 3e-3, 0.9, 0.999


def bags(
    tokenizer: Tokenizer, texts: Sequence[str], length: int, count: int
) -> scipy.sparse.csr_matrix:
    """Texts by tokens: to each the share of its tokens that each token is."""
    tokenizer.enable_truncation(length)
    tokenizer.no_padding()
    ids = [
        [token for token in each.ids if token >= RESERVED]
        for each in tokenizer.encode_batch(list(texts), add_special_tokens=False)
    ]
    lengths = np.array([len(each) for each in ids])
    shares = np.repeat(1 / np.maximum(1, lengths), lengths).astype(np.float32)
    flat = np.array([token for each in ids for token in each], np.int64)
    shape = (len(ids), count)
    made = scipy.sparse.csr_matrix((shares, flat, np.r_[0, np.cumsum(lengths)]), shape=shape)
    made.sum_duplicates()
    return made


def unit(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows of length one, and how long they were."""
    length = np.linalg.norm(rows, axis=1, keepdims=True) + 1e-9
    return rows / length, length


def shares(likenesses: np.ndarray) -> np.ndarray:
    """Softmax of each row."""
    raised = np.exp(likenesses - likenesses.max(1, keepdims=True))
    return raised / raised.sum(1, keepdims=True)


@dataclass(slots=True)
class Lessons:
    """Questions and texts as bags, their teacher's vectors, and the kind that each pair is of."""

    asked: scipy.sparse.csr_matrix
    told: scipy.sparse.csr_matrix
    wanted_asked: np.ndarray
    wanted_told: np.ndarray
    kinds: np.ndarray


class Student:
    """The table in training, with what Adam remembers of each number (Kingma and Ba, 2015)."""

    def __init__(self, table: np.ndarray) -> None:
        self.table = table.copy()
        self.heat = HEAT
        self.step = 0
        self._mean, self._square = np.zeros_like(self.table), np.zeros_like(self.table)
        self._heat = [0.0, 0.0]

    def learn(self, lessons: Lessons, places: np.ndarray, rate: float) -> float:
        """One step on one batch; the loss, Kullback and Leibler's, before it."""
        self.step += 1
        both = scipy.sparse.vstack([lessons.asked[places], lessons.told[places]]).tocsr()
        tokens, columns = np.unique(both.indices, return_inverse=True)
        shape = (both.shape[0], len(tokens))
        both = scipy.sparse.csr_matrix((both.data, columns, both.indptr), shape=shape)
        vectors, lengths = unit(both @ self.table[tokens])
        asked, told = vectors[: len(places)], vectors[len(places) :]
        its_asked = lessons.wanted_asked[places].astype(np.float32)
        its_told = lessons.wanted_told[places].astype(np.float32)
        sharp = float(np.exp(self.heat))
        # A question to all texts of the batch, and each text to the others.
        crossed, loss, alike = _away(its_asked @ its_told.T, asked @ told.T, sharp)
        for_asked, for_told = crossed @ told, crossed.T @ asked
        among, lost, same = _away(its_told @ its_told.T, told @ told.T, sharp, others=True)
        for_told += among @ told + among.T @ told
        slope = np.concatenate([for_asked, for_told]) * sharp
        slope = (slope - (slope * vectors).sum(1, keepdims=True) * vectors) / lengths
        self._move(tokens, both.T @ slope, rate)
        self._warm(sharp * (alike + same), rate)
        return loss + lost

    def _move(self, tokens: np.ndarray, slope: np.ndarray, rate: float) -> None:
        mean = MOMENTUM * self._mean[tokens] + (1 - MOMENTUM) * slope
        square = SQUARES * self._square[tokens] + (1 - SQUARES) * slope * slope
        self._mean[tokens], self._square[tokens] = mean, square
        mean = mean / (1 - MOMENTUM**self.step)
        square = square / (1 - SQUARES**self.step)
        self.table[tokens] -= rate * mean / (np.sqrt(square) + 1e-8)

    def _warm(self, slope: float, rate: float) -> None:
        mean, square = self._heat
        mean, square = MOMENTUM * mean + 0.1 * slope, SQUARES * square + 0.001 * slope * slope
        self._heat = [mean, square]
        mean /= 1 - MOMENTUM**self.step
        square /= 1 - SQUARES**self.step
        self.heat -= rate * mean / (float(np.sqrt(square)) + 1e-8)


def _away(
    its: np.ndarray, mine: np.ndarray, sharp: float, *, others: bool = False
) -> tuple[np.ndarray, float, float]:
    """How far the student's shares are off, the loss, and its slope over the sharpness."""
    its = its / COLD
    if others:  # nothing is learned from a text's likeness to itself
        its, mine = its.copy(), mine.copy()
        np.fill_diagonal(its, -1e4)
        np.fill_diagonal(mine, -1e3)
    wanted, said = shares(its), shares(mine * sharp)
    away = (said - wanted) / len(its)
    loss = float((wanted * (np.log(wanted + 1e-9) - np.log(said + 1e-9))).sum() / len(its))
    if others:
        np.fill_diagonal(mine, 0)
    return away, loss, float((away * mine).sum())


def batches(kinds: np.ndarray, dice: np.random.RandomState, alike: float) -> Iterator[np.ndarray]:
    """Each pair once: a share of them in batches of one kind, where telling apart is hardest."""
    order = dice.permutation(len(kinds))
    chosen = dice.rand(len(kinds)) < alike
    one_kind = order[chosen[order]]
    one_kind = one_kind[np.argsort(kinds[one_kind], kind="stable")]
    mixed = order[~chosen[order]]
    made = [
        group[start : start + BATCH]
        for group in (one_kind, mixed)
        for start in range(0, len(group) - BATCH + 1, BATCH)
    ]
    return (made[place] for place in dice.permutation(len(made)))


def trained(
    table: np.ndarray, lessons: Lessons, *, epochs: int, alike: float, tell: Callable[[str], None]
) -> np.ndarray:
    """The table after so many rounds, the rate falling to nothing by a cosine."""
    student = Student(table)
    steps = epochs * (len(lessons.kinds) // BATCH)
    for epoch in range(epochs):
        losses = []
        for places in batches(lessons.kinds, np.random.RandomState(epoch), alike):
            rate = RATE * 0.5 * (1 + np.cos(np.pi * min(1.0, (student.step + 1) / steps)))
            losses.append(student.learn(lessons, places, rate))
        tell(f"round {epoch + 1} of {epochs}: loss {np.mean(losses):.3f}")
    return student.table
