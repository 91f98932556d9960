"""Clothing: what it is made of, how it fits, who wears it."""

from __future__ import annotations

from eagle.config import DomainConfig
from eagle.domains.base import (
    Describing,
    Profiling,
    Rewriting,
    Sentence,
    Suggesting,
    WrittenDomain,
    profiling_task,
    rewriting_task,
    suggesting_task,
)
from eagle.domains.text import Fields

FIELDS = Fields("Categories", "Description")
#: The paper's five for Amazon clothing.
CATEGORIES = (
    "design and aesthetics",
    "functionality and fit",
    "material and sustainability",
    "marketing and branding",
    "features and details",
)
OPENINGS = (
    ("Give it", "Make it"),
    ("Make it", "Fit it"),
    ("Use", "Make it of"),
    ("Sell it", "Present it"),
    ("Add", "Replace"),
)
GENERIC: tuple[tuple[str, ...], ...] = (
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
ANY_LABEL: tuple[Sentence, ...] = ((0, "Turn it into a {genre} {noun}."), (4, "Give it much more {genre}."))

# a change of use, of material, of style, of wearer
REWRITES = (
    (
        "Categories: coats, wool. Description: A long grey coat with wide lapels and a soft lining, cut for cold city "
        "mornings. It buttons up to the neck.",
        "Make it fit for rain.",
        "Categories: coats, rainwear. Description: A long grey coat with sealed seams and a waxed shell that lets no "
        "drop in. A deep hood folds out of the collar.",
    ),
    (
        "Categories: dresses. Description: A knee-length evening dress in heavy red satin with narrow straps. The back "
        "is open down to the waist.",
        "Make it of linen for hot days.",
        "Categories: dresses, summer. Description: A knee-length day dress in thin undyed linen with narrow straps. "
        "The skirt is cut wide and moves with every breeze.",
    ),
    (
        "Categories: knitwear, casual. Description: A chunky blue sweater with a round neck and sleeves that reach "
        "over the hands. Made for lazy weekends.",
        "Make it elegant for the office.",
        "Categories: knitwear, business. Description: A fine navy sweater with a narrow neck and neat cuffs that sits "
        "well under a jacket. Made for long meetings.",
    ),
    (
        "Categories: trousers, work. Description: Stiff brown canvas trousers with double knees and loops for heavy "
        "tools. They outlast every other pair on the site.",
        "Make them for small children.",
        "Categories: trousers, children. Description: Soft brown trousers with padded knees and an elastic band that "
        "grows along. They survive any playground and the washing after it.",
    ),
)
DESCRIPTIONS = tuple(
    (told, text)
    for told, (text, _, _) in zip(
        ("Morning Coat (2012): coats, wool", "Red Satin (2015): dresses", "Weekend Blue (2018): knitwear, casual"),
        REWRITES,
        strict=False,
    )
)
SUGGESTIONS = (
    ("coats, wool. A long grey coat with wide lapels.", "Give it", "Give it a short cut and large wooden buttons."),
    ("trousers, work. Stiff canvas with double knees.", "Make it", "Make it stretch for climbing and cycling."),
    ("knitwear. A chunky blue sweater for weekends.", "Use", "Use thin merino in dark green."),
    ("dresses. Heavy red satin with narrow straps.", "Add", "Add wide sleeves and a high collar."),
)
SECTIONS = ("Overall", "Category", "Period", "Style", "Other")
PROFILES = (
    (
        "Liked: Morning Coat (coats, wool), Grey Flannel (trousers), Weekend Blue (knitwear). "
        "Disliked: Neon Mini (dresses), Glitter Top (tops).",
        {
            "Overall": "Prefers quiet, lasting pieces and has little patience for what is loud.",
            "Category": "Likes coats, trousers and knitwear; dislikes tops.",
            "Period": "Keeps to cuts that looked right ten years ago.",
            "Style": "Enjoys muted colours, dense wool and clean lines.",
            "Other": "Values a good lining and honest sizes.",
        },
    ),
    (
        "Liked: Beach Wrap (dresses, summer), Palm Shirt (shirts), Sun Hat (hats). "
        "Disliked: Office Black (suits), Long Johns (underwear).",
        {
            "Overall": "Dresses for warm days and leaves when it gets formal.",
            "Category": "Likes dresses, shirts and hats; dislikes suits and underwear.",
            "Period": "Follows what comes new every summer.",
            "Style": "Enjoys bright prints, thin fabrics and wide cuts.",
            "Other": "Travels a lot and packs light.",
        },
    ),
)


def clothing(settings: DomainConfig, noun: str) -> WrittenDomain:
    """Return the domain of things to wear that are called ``noun``; it reads no further setting."""
    return WrittenDomain(
        noun=noun,
        fields=FIELDS,
        categories=CATEGORIES,
        rewriting=Rewriting(rewriting_task(noun, FIELDS), REWRITES),
        describing=Describing(
            f"You write the description of a {noun} in two short sentences: how it looks and whom it suits, without "
            "naming the title. Answer with one line.",
            DESCRIPTIONS,
        ),
        suggesting=Suggesting(suggesting_task(noun), SUGGESTIONS, OPENINGS),
        profiling=_profiling(noun),
        generic=GENERIC,
        any_label=ANY_LABEL,
        mix=(4, "Mix {first} with {second}."),
    )


def _profiling(noun: str) -> Profiling:
    return Profiling(
        sections=SECTIONS,
        task=profiling_task(noun, SECTIONS),
        examples=PROFILES,
        person="A shopper",
        period="Chooses {period}.",
        periods=("older cuts", "pieces of any year", "the latest pieces"),
        looks={},
        all_labels="what suits these categories",
        experience=("Little is known yet.", "Has worn a fair amount.", "Has worn a great deal."),
    )
