"""What actions name of a catalogue: its categories or, where these tell no items apart, its texts' typical words."""

from __future__ import annotations

import pandas as pd

from eagle.data.columns.typical_words import telling_genres, word_table
from eagle.domains.base import Domain, WrittenDomain
from eagle.domains.without_labels import about_words


def frequent_labels(descriptions: pd.DataFrame, splits: pd.DataFrame, domain: Domain) -> tuple[list[str], Domain]:
    """Return what tells the training items apart, most frequent first, and the domain that makes actions of it.

    These are their genres, or else typical words of their texts.
    """
    train = descriptions[descriptions["item"].isin(splits.loc[splits["split"] == "train", "item"])]
    if genres := telling_genres(train):
        return genres, domain
    return word_table(train)[0], about_words(domain) if isinstance(domain, WrittenDomain) else domain
