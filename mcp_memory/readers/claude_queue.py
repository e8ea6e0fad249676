"""Queue of Claude Code: what was typed while the agent worked, until it comes as a message, or never."""

from dataclasses import dataclass, field

from mcp_memory.readers.drafts import Draft


@dataclass(slots=True)
class Queue:
    """Texts in the order in which they were typed, with the steps that they came to."""

    withdrawn: set[int] = field(default_factory=set)
    """Numbers of steps that the user took back before the agent was given them."""
    _texts: list[tuple[str, list[Draft]]] = field(default_factory=list)
    _waiting: list[list[Draft]] = field(default_factory=list)
    _taken: list[list[Draft]] = field(default_factory=list)

    def put(self, text: str, made: list[Draft]) -> None:
        """A text that waits."""
        if made:
            self._texts.append((text.strip(), made))
            self._waiting.append(made)

    def give(self, *, within: bool) -> None:
        """The first that waits goes to the agent: `within` its turn, or as a message to come."""
        if self._waiting and within:
            self._taken.append(self._waiting[0])
        del self._waiting[:1]

    def withdraw(self) -> None:
        """The user took what waits back, to write it anew."""
        self.withdrawn.update(draft.number for made in self._waiting for draft in made)
        self._texts = [told for told in self._texts if told[1] not in self._waiting]
        self._waiting.clear()

    def come(self, text: str, *, attached: bool) -> list[Draft]:
        """The steps that a message repeats: it is one of the texts, or several put together.

        What the agent was given within its turn comes again at most as an attachment: the same
        words in a message are said anew.
        """
        rest, found = text.strip(), []
        for told in self._texts:
            if rest.startswith(told[0]) and (attached or told[1] not in self._taken):
                rest = rest[len(told[0]) :].lstrip()
                found.append(told)
        if rest or not found:
            return []
        self._texts = [told for told in self._texts if told not in found]
        return [draft for _, made in found for draft in made]
