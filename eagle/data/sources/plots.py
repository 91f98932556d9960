"""Plots for films that come with a title, a year and genres only, from two lists of texts; a doubtful match is no
match.

List one, plots, has no years: a film's title must be unique in it, or its categories must decide, they must share a
genre with the film, and nothing in the text may speak against the film's year. List two, summaries, mentions the year.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from eagle.data.columns.titles import key, keys

_CATEGORY_WORDS = {
    "action": ("action",),
    "adventure": ("adventure",),
    "animation": ("animation", "anime", "animated"),
    "children's": ("family", "children"),
    "comedy": ("comed", "parody", "slapstick", "screwball", "satire", "farce"),
    "crime": ("crime", "gangster", "heist", "detective"),
    "documentary": ("document",),
    "drama": ("drama", "tragedy", "coming of age"),
    "fantasy": ("fantasy", "fairy"),
    "film-noir": ("noir",),
    "horror": ("horror", "slasher", "monster", "zombie"),
    "musical": ("music",),
    "mystery": ("mystery", "whodunit", "detective"),
    "romance": ("roman",),
    "sci-fi": ("science fiction", "sci-fi", "space", "alien", "cyberpunk"),
    "thriller": ("thriller", "suspense", "spy"),
    "war": ("war", "combat"),
    "western": ("western",),
}
_FUTURE_GENRES = {"sci-fi", "fantasy", "animation"}
_NOT_THESE = ("short film", "bollywood", "tollywood", "filipino")
_SENTENCE_END = re.compile(
    r"(?<=[.!?][\"')])\s+(?=[\"'(A-Z])"
    r"|(?<=[.!?])(?<!\b[A-Z]\.)(?<!\b(?:Mr|Dr|Ms|St|Jr|Lt|vs)\.)(?<!\b(?:Mrs|Sgt|lit)\.)(?<!transl\.)\s+(?=[\"'(A-Z])"
    r"|(?<=[a-z][.!?])(?=[A-Z][a-z])"
)
_PRODUCTION = re.compile(
    r"\b(direct(?:ed|or|orial)|produc(?:ed|ers?|tion)|[Ss]tarring|stars|co-star\w*|written|co-written|"
    r"screenplay|scripts?|release[ds]?|"
    r"premiered|box office|gross(?:ed|ing)|Awards?|Oscars?|Golden|nominat\w+|wins|won|critic\w*|review\w*|[Bb]ased "
    r"(?:up)?on|[Aa]dapt\w+|"
    r"inspired|novels?|soundtrack|score|shot "
    r"(?:on|in|entirely)|film(?:ed|ing|makers?|ography)|cinematograph\w+|photography|budget|"
    r"Festival|Institute|Registry|remakes?|sequels?|prequels?|franchise|trilogy|series|distributed|Pictures|"
    r"[Ss]tudios?|Disney|cast|"
    r"features?|featured|"
    r"(?:is|was) an? (?:[\w-]+ )?\d{4}|\d{4} (?:American|British|French|Italian)|"
    r"performances?|portrayal|audiences|cult|title|known for|noted for|"
    r"considered|regarded|acclaim\w*|lists?|polls?|[Gg]reatest|influential|classic|career|supporting|roles?|"
    r"listed|ranked|selected|"
    r"preserv\w+|version|plays?|debut|appear(?:s|ance)?)\b"
)
_TELLING = re.compile(
    r"\b(?:It|it|[Ff]ilm|[Mm]ovie|[Ss]tory|[Ss]toryline|[Pp]lot|[Mm]usical|[Cc]omedy|[Dd]rama|and|which|that)(?:, "
    r"[^,]+,)?"
    r" (?:loosely |primarily )?(?:follows|tells (?:the (?:\w+ )?(?:story|tale) "
    r"of|of)|narrates|chronicles|depicts|portrays|"
    r"is (?:a \w+ \w+ )?about|"
    r"revolves around|cent(?:er|re)s (?:on|around)|concerns|deals with|focuses on|explores|recounts|relates|traces|"
    r"involves|details|describes|"
    r"examines|satirizes|takes place|is set)\s.+"
)
_ABOUT = re.compile(
    r"\b(?:(?:film|movie|drama|comedy|thriller|western)\b[^.]*?\babout|in which|tells) "
    r"((?:an?|the|two|three|four|five|several)\b.+)"
)
_SET_IN = re.compile(
    r"^(?:Set|Taking place|In the (?:film|story)|The (?:film|story|movie)'s (?:\w+ "
    r")?(?:character|hero|heroine|protagonist)s?)\b.+"
)
_PLAYED = re.compile(
    r"\b(?:(?:stars?|starring|starred)\b [^,;]*?\bas|plays|portrays) (?:[A-Z][^,;]*, )?((?:an?|the|two|three) "
    r"(?!title|monster|villain).+)"
)
_NAME = r"(?:(?:[A-Z]\.)+|[A-Z][\w'-]+)(?: (?:(?:[A-Z]\.)+|[A-Z][\w'-]+))+"
_PLAYED_BY = re.compile(rf",? \(?(?:played|portrayed) by {_NAME}(?:(?:,| and) {_NAME})*(?:,? respectively)?(?:\)|,)?")
_STAR_IN_BRACKETS = re.compile(r"\s*\((?:played by |portrayed by )?[A-Z][\w.'-]*(?: [A-Z][\w.'-]*)*\)")


Film = tuple[str, Sequence[str], int | None]
"""Title, genres in MovieLens' words, year."""


@dataclass(frozen=True)
class Plot:
    """One entry of the list of plots."""

    title: str
    categories: str
    text: str


def find_plots(films: Sequence[Film], plots: Iterable[Plot], summaries: Mapping[str, str]) -> list[str | None]:
    """Return one cleaned text, or None, for each film."""
    by_title: dict[str, list[Plot]] = {}
    for plot in plots:
        by_title.setdefault(key(plot.title), []).append(plot)
    leads = {key(re.sub(r"\s*\([^)]*film[^)]*\)$", "", title)): text for title, text in summaries.items()}
    years = _years_by_title(films)
    found: list[str | None] = []
    for title, genres, year in films:
        names = keys(title)
        lead = next((leads[name] for name in names if name in leads and _introduces(leads[name], year)), None)
        # one plot cannot serve two films of one name, and it does not say which of them it tells
        known = next((by_title[name] for name in names if name in by_title and len(years[name]) == 1), [])
        best = _best_match(known, genres, year)
        found.append((tidy(best) if best else None) or (story(lead) if lead else None))
    return found


def _years_by_title(films: Sequence[Film]) -> dict[str, set[int | None]]:
    years: dict[str, set[int | None]] = {}
    for title, _, year in films:
        for name in keys(title):
            years.setdefault(name, set()).add(year)
    return years


def _introduces(text: str, year: int | None) -> bool:
    """Whether a summary opens with this film ("is a 1982 American film"); release dates differ by a year between
    countries.
    """
    opening = re.findall(r"\b((?:19|20)\d\d)\b[^.]{0,90}?\b(?:film|movie|documentary)\b", text[:500])
    return year is not None and any(abs(int(found) - year) <= 1 for found in opening)


def genres_named(categories: str) -> tuple[str, ...]:
    """Return the genres, in MovieLens' words, that a plot's categories say."""
    lower = categories.lower()
    return tuple(genre for genre, words in _CATEGORY_WORDS.items() if any(word in lower for word in words))


def _shared_genres(categories: str, genres: Sequence[str]) -> int:
    lower = categories.lower()
    return sum(any(word in lower for word in _CATEGORY_WORDS.get(genre, ())) for genre in genres)


def _contradicts(plot: Plot, genres: Sequence[str], year: int | None) -> bool:
    """Whether a plot is evidently another film's: its kind, its era, or a year after the film was made."""
    lower = plot.categories.lower()
    shared = _shared_genres(plot.categories, genres)
    if shared == 0 or (shared < 2 and any(word in lower for word in _NOT_THESE)):
        return True
    if year is None:
        return False
    if (year > 1935 and "silent film" in lower) or (year > 1970 and shared < 3 and "black-and-white" in lower):
        return True
    later = any(int(y) > year + 1 for y in re.findall(r"\b(?:19|20)\d\d\b", plot.text))
    return shared < 2 and later and not _FUTURE_GENRES.intersection(genres)


def _best_match(plots: Sequence[Plot], genres: Sequence[str], year: int | None) -> str | None:
    """Return the text of the plot that shares most genres; None where two share equally many."""
    fitting = [plot for plot in plots if not _contradicts(plot, genres, year)]
    fitting.sort(key=lambda plot: -_shared_genres(plot.categories, genres))
    if len(fitting) > 1 and _shared_genres(fitting[0].categories, genres) == _shared_genres(
        fitting[1].categories, genres
    ):
        return None
    return fitting[0].text if fitting else None


def tidy(text: str) -> str:
    """Return a text on one line without markup and actors: stray brackets, spaces before commas, "played by"."""
    text = re.sub(r"\{\{[^}]*\}\}|\[\[(?:[^|\]]*\|)?|\]\]|''+|<[^>]+>|\[\d+\]", "", text)
    text = _PLAYED_BY.sub("", text)
    text = re.sub(r"\(\s*[,;]*\s*\)", "", text)
    text = re.sub(r"\s+", " ", text)
    return re.sub(r"\s+([,.;:!?])", r"\1", text).strip()


def story(lead: str) -> str | None:
    """Return what an encyclopedia's summary tells of the story: from its first telling clause to the next about the
    production.

    None where fewer than ten words are told: a film without a plot is better than one with its awards.
    """
    clauses: list[str] = []
    for sentence in _SENTENCE_END.split(_STAR_IN_BRACKETS.sub("", tidy(lead))):
        clause = _plot_clause(sentence, begun=bool(clauses))
        if clause:
            clauses.append(clause[0].upper() + clause[1:])
        elif clauses:
            break
    text = " ".join(clauses)
    return text if len(text.split()) >= 10 else None


def _plot_clause(sentence: str, begun: bool) -> str | None:
    """Return the part of a sentence that belongs to the story; once it has begun, plain sentences go on with it."""
    plain = not _PRODUCTION.search(sentence)
    telling = _TELLING.search(sentence)
    if plain and (begun or telling or _SET_IN.match(sentence)):
        return sentence
    if telling and not _PRODUCTION.search(telling[0]):
        return re.sub(r"^\w+", "The story", telling[0])
    for pattern in (_PLAYED, _ABOUT):
        clause = pattern.search(sentence)
        if clause and not _PRODUCTION.search(clause[1]):
            return clause[1]
    return None
