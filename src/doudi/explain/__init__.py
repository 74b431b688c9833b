"""A warning told in sentences, Chinese or English: what was compared with what, where the limit comes from, which rows
were read, what is to be done by when, and what happened so far. Names and citizen IDs are left out."""

from doudi.explain.reading import UnknownWarning
from doudi.explain.sentences import explain
from doudi.explain.words import Language, language_of

__all__ = ["Language", "UnknownWarning", "explain", "language_of"]
