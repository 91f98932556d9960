"""Actions of our own writing for films and other stories.

1. Follows the paper (App. C): its five categories; a generic half, and a half made for a taste.
2. Differs: the half made for a taste goes by genre, in the catalogue's own words, because the environment rewrites a
   genre line. Wordings were chosen by how often SmolLM2-135M then names the genre (5 to 30 training anchors each):
   adventure, crime, fantasy, romance, mystery, drama, war, comedy, horror, sci-fi and thriller 90-100%, western 83%,
   action 70%, musical and film-noir 40%. No wording that was tried gets it to write animation, children's or
   documentary more than now and then.
"""

from __future__ import annotations

from eagle.domains.base import Sentence

CATEGORIES = (
    "plot changes",
    "character enhancements",
    "visual and storytelling improvements",
    "thematic exploration",
    "audience appeal adjustments",
)
OPENINGS = (
    ("Let", "Send", "Replace"),
    ("Make the hero", "Give the hero", "Turn the hero into"),
    ("Set it in", "Move it to", "Tell it as"),
    ("Make it about", "Explore", "Bring out"),
    ("Add", "Make it more", "Fill it with"),
)
EXAMPLES = (
    (
        "crime, drama. A retired thief in Paris takes one last job for his girl.",
        "Make the hero",
        "Make the hero a blind piano teacher.",
    ),
    (
        "comedy, romance. Two waiters in Rome love the same singer.",
        "Set it in",
        "Set it in a space hotel during a robot strike.",
    ),
    (
        "action, thriller. A soldier must find a stolen bomb before midnight.",
        "Make it about",
        "Make it about an old general's guilt.",
    ),
    ("horror. Five students spend a night in an empty hospital.", "Add", "Add a gentle ghost who plays jokes on them."),
)

GENERIC: tuple[tuple[str, ...], ...] = (
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

BY_GENRE: dict[str, tuple[Sentence, ...]] = {
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
SAME_GENRE = {
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
NO_GENRE = frozenset({"", "nogenreslisted", "unknown", "imax", "none", "other"})
ANY_GENRE: tuple[Sentence, ...] = ((0, "Turn it into a {genre} {noun}."), (4, "Give it much more {genre}."))
MIX: Sentence = (4, "Mix {first} with {second}.")
