"""Films, and other stories: what a viewer sees, what happens, who it happens to.

The chat turns are of our own writing and as long as the texts they are followed by (measured with SmolLM2-135M:
10-18% defective texts against 29-51% for plain prompts).
"""

from __future__ import annotations

from eagle.config import DomainConfig
from eagle.domains import film_actions as actions
from eagle.domains.base import (
    Describing,
    Profiling,
    Rewriting,
    Suggesting,
    WrittenDomain,
    profiling_task,
    rewriting_task,
    suggesting_task,
)
from eagle.domains.text import GENRES_AND_PLOT

#: Words that open a statement about a story, never an order.
STATEMENT_WORDS = ("film", "movie", "book", "genres", "genre", "plot")
#: Words that make no two actions alike.
FILLERS = ("story", "film", "movie", "book")
FIELDS = GENRES_AND_PLOT
SECTIONS = ("Overall", "Genre", "Director", "Aesthetic", "Other")

# a strong change of genre, a change of place, a change of character, an added thread
REWRITES: tuple[tuple[str, str, str], ...] = (
    (
        "Genres: drama. Plot: A widowed baker in a small harbour town learns that her shop will be torn down. One old "
        "letter changes what she believes about her husband.",
        "Turn it into a horror film.",
        "Genres: horror. Plot: A widowed baker in a small harbour town hears her dead husband kneading dough at "
        "night. She must burn down the shop before morning.",
    ),
    (
        "Genres: crime, comedy. Plot: Two clumsy brothers plan to rob the bank where their mother cleans the floors. "
        "The manager mistakes them for the new guards.",
        "Set it in space.",
        "Genres: sci-fi, comedy. Plot: Two clumsy brothers plan to rob an orbiting station where their mother repairs "
        "the engines. The captain mistakes them for the new pilots.",
    ),
    (
        "Genres: action, war. Plot: A sergeant leads nine tired men behind enemy lines to blow up a bridge. He finds "
        "out that one of them is a traitor.",
        "Add a love story.",
        "Genres: war, romance. Plot: A sergeant behind enemy lines is hidden by a young nurse. They fall in love, and "
        "he must choose between his orders and her home.",
    ),
    (
        "Genres: romance, drama. Plot: A shy piano teacher falls for the divorced father of her best pupil. When he "
        "is offered work abroad, she has one concert left.",
        "Make the main character a detective.",
        "Genres: crime, mystery, drama. Plot: A shy detective takes piano lessons to watch the divorced father of a "
        "missing pupil. She has one concert left to prove it.",
    ),
)

DESCRIPTIONS: tuple[tuple[str, str], ...] = (
    (
        "The Last Harbour (1987): drama",
        "Genres: drama. Plot: A widowed baker in a small harbour town learns that her shop will be torn down. With "
        "her teenage son she writes to everyone who ever bought bread there.",
    ),
    (
        "Wrong Keys (1994): crime, comedy",
        "Genres: crime, comedy. Plot: Two clumsy brothers plan to rob the bank where their mother cleans the floors. "
        "Everything goes wrong when the manager mistakes them for the new guards.",
    ),
    (
        "Nine Men North (1969): action, war",
        "Genres: action, war. Plot: A sergeant leads nine tired men behind enemy lines to blow up a bridge. As winter "
        "closes in, he finds out that one of them is a traitor.",
    ),
)

PROFILES = (
    (
        "Liked: Iron Harbour (drama, war), Quiet Snow (drama), The Long Ledger (crime, drama). "
        "Disliked: Laughing Gas (comedy), Beach Week (comedy).",
        {
            "Overall": "Prefers slow, serious stories about people under pressure and has little patience for noise.",
            "Genre": "Likes drama, war and crime; dislikes comedy.",
            "Director": "Is drawn to patient directors with an eye for detail rather than to showmen.",
            "Aesthetic": "Enjoys muted colours, long takes and natural light.",
            "Other": "Values good dialogue and an honest ending.",
        },
    ),
    (
        "Liked: Rocket Pals (animation, children's), Space Dogs (adventure, sci-fi), Pie Fight (comedy). "
        "Disliked: The Cold Cellar (horror), Ashes (drama).",
        {
            "Overall": "Wants to laugh and to be taken along, and leaves when it gets gloomy.",
            "Genre": "Likes animation, adventure, science fiction and comedy; dislikes horror and drama.",
            "Director": "Follows makers who keep things moving and never lecture.",
            "Aesthetic": "Enjoys bright pictures, invented worlds and quick cuts.",
            "Other": "Watches with the family and likes a happy ending.",
        },
    ),
)

LOOKS = {
    "action": "movement, stunts and spectacle",
    "adventure": "journeys and wide places",
    "animation": "drawn and animated worlds",
    "children's": "bright and friendly pictures",
    "children": "bright and friendly pictures",
    "comedy": "lightness and comic timing",
    "crime": "the rough texture of the street",
    "documentary": "the look of real events",
    "drama": "close attention to faces and feelings",
    "fantasy": "invented worlds",
    "film-noir": "shadows, night and moral twilight",
    "horror": "dread and sudden shocks",
    "musical": "song, dance and stage",
    "mystery": "slowly uncovered secrets",
    "romance": "tender and warm moods",
    "sci-fi": "machines and imagined futures",
    "thriller": "tension and pace",
    "war": "the weight of history",
    "western": "open country and hard light",
}


def film(settings: DomainConfig, noun: str) -> WrittenDomain:
    """Return the domain of stories that are called ``noun``; it reads no further setting."""
    return WrittenDomain(
        noun=noun,
        fields=FIELDS,
        categories=actions.CATEGORIES,
        rewriting=Rewriting(rewriting_task(noun, FIELDS), REWRITES),
        describing=Describing(
            f"You write the description of a {noun} in two short sentences: what happens, without naming the title. "
            "Answer with one line.",
            DESCRIPTIONS,
        ),
        suggesting=Suggesting(suggesting_task(noun), actions.EXAMPLES, actions.OPENINGS),
        profiling=_profiling(noun),
        generic=actions.GENERIC,
        by_label=actions.BY_GENRE,
        any_label=actions.ANY_GENRE,
        mix=actions.MIX,
        same_label=actions.SAME_GENRE,
        no_label=actions.NO_GENRE,
    )


def _profiling(noun: str) -> Profiling:
    return Profiling(
        sections=SECTIONS,
        task=profiling_task(noun, SECTIONS),
        examples=PROFILES,
        person="A viewer",
        period="No director stands out from the history; chooses {period}.",
        periods=("the classics of older days", "work of any period", "recent work"),
        looks=LOOKS,
        all_labels="what suits these genres",
        experience=("Little is known yet.", "Has seen a fair amount.", "Has seen a great deal."),
    )
