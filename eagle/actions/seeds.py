"""Candidate actions of our own writing: one imperative sentence each, short, and strong enough to change what the item
is.

1. Follows the paper (App. C): five categories; a generic half, and a half made for a taste.
2. Differs: the paper's big model writes all actions; a small one repeats itself, so most come from these lists, and the
   same ones at the same index for every anchor, which lets the effect of an action be pooled over anchors.
3. Differs: the half made for a taste goes by genre, in the catalogue's own words, because the environment rewrites a
   genre line. Wordings were chosen by how often SmolLM2-135M then names the genre (5 to 30 training anchors each):
   adventure, crime, fantasy, romance, mystery, drama, war, comedy, horror, sci-fi and thriller 90-100%, western 83%,
   action 70%, musical and film-noir 40%. No wording that was tried gets it to write animation, children's or
   documentary more than now and then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, combinations

from eagle.actions.candidate_list import is_valid_action
from eagle.core.errors import user_error

STORY_CATEGORIES = (
    "plot changes",
    "character enhancements",
    "visual and storytelling improvements",
    "thematic exploration",
    "audience appeal adjustments",
)
PRODUCT_CATEGORIES = (
    "design and aesthetics",
    "functionality and fit",
    "material and sustainability",
    "marketing and branding",
    "features and details",
)
STORY_NOUNS = frozenset(
    (
        "film",
        "movie",
        "book",
        "novel",
        "story",
        "series",
        "show",
        "comic",
        "game",
        "play",
        "anime",
        "podcast",
        "manga",
        "musical",
    )
)


@dataclass(frozen=True)
class Seed:
    """One action text, its category (paper's five) and its half: generic or personalized."""

    action: str
    category: str
    kind: str


_STORY_GENERIC: tuple[tuple[str, ...], ...] = (
    (
        "Let the hero plan one last big heist.",
        "Send everyone back in time to save the future.",
        "Trap the characters on a sinking ship.",
        "Let a deadly plague break out in the city.",
        "Reveal at the end that it was all a dream.",
        "Start a deadly race across the country.",
        "Let a stranger arrive with a terrible secret.",
        "Strand the survivors on a desert island.",
        "Let a court trial decide everything.",
        "Let the villain win at the end.",
    ),
    (
        "Make the hero a robot.",
        "Make the main character a lonely child.",
        "Turn the hero into a ruthless gangster.",
        "Make the lead a brilliant but mad scientist.",
        "Give the hero a loyal talking dog.",
        "Make the heroine a fearless fighter pilot.",
        "Let two rivals fall in love with the same woman.",
        "Make the main character an aging rock star.",
        "Turn the hero into a spy with two identities.",
        "Make the villain the hero's own brother.",
    ),
    (
        "Move everything to a haunted castle at midnight.",
        "Set it in ancient Rome among gladiators.",
        "Set it in a quiet village in winter.",
        "Set it in a ruined city after the end of the world.",
        "Tell it as a series of love letters.",
        "Set it on a pirate ship in a storm.",
        "Tell it through the eyes of a ghost.",
        "Set it behind the walls of a prison.",
        "Set it at a high school in the summer.",
        "Tell the whole thing backwards in time.",
    ),
    (
        "Make it about a poor family fighting injustice.",
        "Explore faith and sacrifice through a dying priest.",
        "Make it a satire of greedy politicians.",
        "Ask whether machines can have a soul.",
        "Make it about friendship between old enemies.",
        "Explore madness and obsession in a painter's life.",
        "Make it about growing up without a father.",
        "Let it mourn a vanishing way of life.",
        "Explore what revenge does to a good man.",
        "Make it a fable about nature striking back.",
    ),
    (
        "Make it sweet and funny for the whole family.",
        "Fill it with explosions and bloody violence.",
        "Make it slow, quiet and poetic.",
        "Make it sexy and scandalous for adults.",
        "Base it on a true historical event.",
        "Make it absurd and full of black humor.",
        "Add a sports team that nobody believes in.",
        "Give it a happy wedding at the end.",
        "Add clever puzzles and hidden clues everywhere.",
        "Make it sad enough to make people cry.",
    ),
)

_PRODUCT_GENERIC: tuple[tuple[str, ...], ...] = (
    (
        "Give it a bold floral print.",
        "Make it plain black and minimal.",
        "Give it a loose vintage shape.",
        "Use bright summer colors.",
    ),
    (
        "Make it fit tightly for sports.",
        "Make it loose and soft for home.",
        "Line it warmly for winter.",
        "Make it light for hot days.",
    ),
    (
        "Make it of pure organic cotton.",
        "Make it of soft wool.",
        "Make it of recycled fibers only.",
        "Make it of shiny silk.",
    ),
    (
        "Sell it as a luxury piece.",
        "Make it cheap for students.",
        "Aim it at busy mothers.",
        "Present it as a festival outfit.",
    ),
    ("Add large hidden pockets.", "Add a hood and a zip.", "Add lace and small buttons.", "Add a removable belt."),
)

_BY_GENRE: dict[str, tuple[tuple[int, str], ...]] = {
    "action": (
        (0, "Turn it into an {genre} story of chases and fights."),
        (4, "Add {genre} scenes with car chases and gunfire."),
    ),
    "adventure": ((0, "Make it {genre}, through jungle and desert."), (2, "Make it a treasure hunt {genre} at sea.")),
    "animation": (
        (2, "Retell it as an {genre} with talking animals."),
        (4, "Make it a colorful {genre} about living toys."),
    ),
    "children": (
        (4, "Make it a {genre} story about a brave little girl."),
        (1, "Make the heroes clever kids in a {genre} tale."),
    ),
    "comedy": (
        (4, "Make it a wild {genre} where everything goes wrong."),
        (1, "Make the hero a clumsy fool in a {genre}."),
    ),
    "crime": (
        (0, "Make it {genre}, with a bank robbery."),
        (3, "Follow a corrupt policeman into the world of {genre}."),
    ),
    "documentary": (
        (2, "Retell it as a {genre} with real interviews."),
        (3, "Make it a {genre} about forgotten workers."),
    ),
    "drama": ((3, "Make it {genre}, with grief and forgiveness."), (1, "Focus on a broken marriage as a {genre}.")),
    "fantasy": ((2, "Make it {genre}, with dragons and magic."), (1, "Make the hero a wizard in a {genre} kingdom.")),
    "noir": (
        (2, "Make it pure {genre}, {genre} and nothing else."),
        (3, "Make it a dark {genre} with a doomed detective."),
    ),
    "horror": (
        (0, "Turn it into {genre} with a monster in the dark."),
        (4, "Make it a {genre} story about a cursed house."),
    ),
    "musical": (
        (2, "Make {genre} the first genre, with songs and dancing."),
        (1, "Make the hero a singer in a {genre}."),
    ),
    "mystery": ((0, "Make it {genre}, with an unsolved murder."), (2, "Turn it into a {genre} with a missing letter.")),
    "romance": ((0, "Make it {genre}, with two lovers."), (3, "Make it a {genre} about impossible love.")),
    "scifi": ((2, "Turn it into {genre} set on a spaceship."), (0, "Let aliens invade the earth as in {genre}.")),
    "thriller": (
        (0, "Make it a {genre} with a killer on the loose."),
        (4, "Turn it into a tense {genre} about a kidnapping."),
    ),
    "war": ((2, "Make it {genre}, with soldiers at the front."), (3, "Show how {genre} destroys two young friends.")),
    "western": (
        (2, "Make it a {genre} with cowboys and a gunfight."),
        (1, "Make the hero a sheriff in a {genre} town."),
    ),
}
_SAME_GENRE = {
    "childrens": "children",
    "family": "children",
    "kids": "children",
    "filmnoir": "noir",
    "sf": "scifi",
    "sciencefiction": "scifi",
    "music": "musical",
    "romantic": "romance",
    "animated": "animation",
    "detective": "mystery",
    "suspense": "thriller",
}
_NO_GENRE = frozenset({"", "nogenreslisted", "unknown", "imax", "none", "other"})
_ANY_GENRE = ((0, "Turn it into a {genre} {noun}."), (4, "Give it much more {genre}."))


def categories_of(noun: str) -> tuple[str, ...]:
    """Return the five categories for what the catalogue holds: stories, or products."""
    return STORY_CATEGORIES if noun.lower() in STORY_NOUNS else PRODUCT_CATEGORIES


def _key(genre: str) -> str:
    key = "".join(c for c in genre.lower() if c.isalnum())
    return _SAME_GENRE.get(key, key)


def generic_seeds(noun: str) -> list[Seed]:
    """Return the generic actions, the five categories in turn."""
    lists = _STORY_GENERIC if noun.lower() in STORY_NOUNS else _PRODUCT_GENERIC
    labelled = [
        [Seed(text, category, "generic") for text in texts]
        for category, texts in zip(categories_of(noun), lists, strict=True)
    ]
    return list(chain.from_iterable(zip(*labelled, strict=True)))


def personalized_seeds(genres: Sequence[str], noun: str) -> list[Seed]:
    """Return the actions made for a taste: one for each genre (most frequent first), a second for each, then mixes of
    two genres.

    Genres that we wrote sentences for get those (stories only); any other gets a template. Genre names appear as the
    catalogue spells them; a name that would not make a plain sentence is left out.
    """
    categories = categories_of(noun)
    written = _BY_GENRE if noun.lower() in STORY_NOUNS else {}
    named = [g for g in dict.fromkeys(genres) if _key(g) not in _NO_GENRE]
    sentences = [[(c, text.format(genre=g, noun=noun)) for c, text in written.get(_key(g), _ANY_GENRE)] for g in named]
    mixes = [(4, f"Mix {first} with {second}.") for first, second in combinations(named, 2)]
    distinct = {text: category for category, text in [*chain.from_iterable(zip(*sentences, strict=True)), *mixes]}
    return [
        Seed(text, categories[category], "personalized") for text, category in distinct.items() if is_valid_action(text)
    ]


def choose_seeds(genres: Sequence[str], noun: str, generic: int, personalized: int) -> list[Seed]:
    """Return the first ``generic`` and ``personalized`` seeds, generic ones first.

    EagleError where there are too few.
    """
    pools = {
        "generic": (generic_seeds(noun), generic),
        "personalized": (personalized_seeds(genres, noun), personalized),
    }
    for kind, (pool, wanted) in pools.items():
        if len(pool) < wanted:
            raise user_error(
                f"there are not enough {kind} seed actions",
                found=f"{len(pool)} for {len(genres)} genres of this catalogue",
                expected=f"{wanted}, from actions.per_anchor, personalized_share and llm_written",
                mend="lower actions.per_anchor, or raise actions.llm_written",
            )
    return [seed for pool, wanted in pools.values() for seed in pool[:wanted]]
