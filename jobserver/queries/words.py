"""Finding rows by the beginnings of their words, through the indexes on the words of columns."""

import re
from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, false, func, literal_column, or_

from jobserver.models.base import words_of

MOST_WORDS = 8
_WORD = re.compile(r"[^\W_]+")


def words_in(q: str) -> list[str]:
    """The words of what was typed: letters and digits, the rest only parts them."""
    return [word.lower() for word in _WORD.findall(q)[:MOST_WORDS]]


def has_words(words: Sequence[str], *columns: str) -> ColumnElement[bool]:
    """Every word begins a word of one of the columns of the statement's only table; no words, no rows."""
    if not words:
        return false()
    return and_(*[or_(*[_begins(word, column) for column in columns]) for word in words])


def has_all_words(words: Sequence[str], column: str) -> ColumnElement[bool]:
    """Every word begins a word of the column; no words, no rows."""
    return _matches(" & ".join(map(_prefix, words)), column) if words else false()


def _begins(word: str, column: str) -> ColumnElement[bool]:
    return _matches(_prefix(word), column)


def _prefix(word: str) -> str:
    # Quoted, so that it is a word whatever it is made of.
    return f"'{word}':*"


def _matches(query: str, column: str) -> ColumnElement[bool]:
    found: ColumnElement[bool] = literal_column(words_of(column)).op("@@", is_comparison=True)(
        func.to_tsquery("simple", query)
    )
    return found
