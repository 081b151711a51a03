"""Conditions of results: ``key=value`` words that describe how a number was measured."""


def words(condition: str) -> dict[str, str]:
    """The ``key=value`` words of a condition.

    >>> words("K=300 view=own")
    {'K': '300', 'view': 'own'}
    """
    return dict(word.split("=", 1) for word in condition.split() if "=" in word)
