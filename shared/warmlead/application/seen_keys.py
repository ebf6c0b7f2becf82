"""A set of events' keys for a whole archive, in a small part of the memory that a ``set`` takes."""

from array import array

_FIRST_SLOTS = 1_024
_FULL_PER_MILLE = 600


class SeenKeys:
    """Keys of events (64 bits, evenly spread), each in 14 to 27 bytes; a ``set`` takes 60 to 110.

    It is a hash table of numbers with open addressing; a slot with 0 is free.
    """

    def __init__(self) -> None:
        self._slots = array("Q", bytes(8 * _FIRST_SLOTS))
        self._count = 0
        self._has_zero = False

    def __len__(self) -> int:
        return self._count + self._has_zero

    def add(self, key: int) -> bool:
        """Adds a key, and returns whether it is new."""
        if key == 0:
            is_new, self._has_zero = not self._has_zero, True
            return is_new
        if not _put(self._slots, key):
            return False
        self._count += 1
        if self._count * 1_000 > len(self._slots) * _FULL_PER_MILLE:
            self._grow()
        return True

    def _grow(self) -> None:
        larger = array("Q", bytes(2 * 8 * len(self._slots)))
        for key in self._slots:
            if key:
                _put(larger, key)
        self._slots = larger


def _put(slots: "array[int]", key: int) -> bool:
    """Writes the key into its slot or the next free one; false if it is there already."""
    mask = len(slots) - 1
    at = key & mask
    while there := slots[at]:
        if there == key:
            return False
        at = (at + 1) & mask
    slots[at] = key
    return True
