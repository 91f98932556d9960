"""Actions that suit any kind of thing: they name no material, no hero and no wearer."""

from __future__ import annotations

from eagle.domains.base import Sentence

CATEGORIES = ("content changes", "style and mood", "size and form", "audience appeal adjustments", "details and extras")
OPENINGS = (
    ("Make it about", "Build it around", "Replace"),
    ("Make it more", "Give it"),
    ("Turn it into", "Make it"),
    ("Make it right for", "Aim it at"),
    ("Add", "Include"),
)
ANY_OPENINGS = ("Make it", "Add", "Give it")
EXAMPLES = (
    (
        "tours, nature. A guided walk through quiet pine woods.",
        "Make it about",
        "Make it about the birds of the night.",
    ),
    ("lamps. A heavy desk lamp of black steel.", "Give it", "Give it a warm and playful shape."),
    ("courses. Forty evenings of grammar and tests.", "Make it right for", "Make it right for tired parents."),
    ("instruments. A plain wooden flute with six holes.", "Add", "Add a second voice that answers the first."),
)
GENERIC: tuple[tuple[str, ...], ...] = (
    (
        "Make it about nature and animals.",
        "Build it around one big surprise.",
        "Bring two opposites together in it.",
        "Make it about friendship and teamwork.",
        "Base it on an old tradition.",
        "Turn it into a race against time.",
        "Take it to a faraway country.",
        "Replace its main part with something unexpected.",
    ),
    (
        "Make it dark and mysterious.",
        "Make it bright and cheerful.",
        "Make it calm and gentle.",
        "Make it bold and loud.",
        "Give it an old-fashioned style.",
        "Give it a futuristic look.",
        "Make it elegant and refined.",
        "Make it silly and playful.",
    ),
    (
        "Make it much smaller and shorter.",
        "Make it far bigger and richer.",
        "Reduce it to one single idea.",
        "Split it into several small parts.",
        "Make it quick and easy.",
        "Make it slow and demanding.",
        "Turn it into a whole series.",
        "Change it so that it suits long journeys.",
    ),
    (
        "Make it right for small children.",
        "Aim it at experts only.",
        "Change it for the whole family.",
        "Make it good for people who are alone.",
        "Make it work for large groups.",
        "Adapt it to older people.",
        "Turn it into a rare luxury.",
        "Make it cheap for everybody.",
    ),
    (
        "Add a hidden secret to it.",
        "Include a choice between two ways.",
        "Give it a clear set of instructions.",
        "Add a touch of humor.",
        "Give it a winter theme.",
        "Add something made by hand.",
        "Include a bonus for loyal fans.",
        "Add a local speciality.",
    ),
)
ANY_LABEL: tuple[Sentence, ...] = ((0, "Make {genre} its main theme."), (4, "Add a strong touch of {genre}."))
MIX = "Mix {first} with {second}."
ANY_TASTE: tuple[Sentence, ...] = (
    (3, "Make it for those who love a challenge."),
    (3, "Make it for people who want to relax."),
    (1, "Make it warm and romantic."),
    (1, "Make it cold and strict."),
    (3, "Please people who collect rare things."),
    (3, "Please people who distrust what is new."),
    (0, "Make it teach a useful skill."),
    (0, "Make it pure entertainment."),
    (2, "Keep only what is essential."),
    (2, "Let it grow more complex with time."),
    (4, "Add more variety for curious minds."),
    (4, "Leave out whatever is usual."),
    (1, "Make it wild and dangerous."),
    (1, "Make it safe and reliable."),
    (3, "Make it a perfect gift."),
    (0, "Connect it with history."),
    (0, "Connect it with modern science."),
    (2, "Make it last a lifetime."),
    (4, "Include a contest with prizes."),
    (3, "Make it popular with beginners."),
)
