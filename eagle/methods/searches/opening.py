"""How the searches that come with the project are opened: each is called with the context, as one's own method is."""

from __future__ import annotations

from eagle.core.seeding import derive_seed
from eagle.domains.open import domain_of
from eagle.methods.context import MethodContext
from eagle.methods.proposers import proposing
from eagle.methods.searches.archive import centroids_of
from eagle.methods.searches.best_first import TreeSearch
from eagle.methods.searches.crossover import crossover
from eagle.methods.searches.designed import DesignedActions
from eagle.methods.searches.evolution import Evolution
from eagle.methods.searches.mutation import Mutation
from eagle.methods.searches.quality_diversity import AgentEmitter, Emitter, MutationEmitter, QualityDiversity
from eagle.methods.searches.uct import Uct

#: Regions of an archive: a usual budget of 8 to 32 texts fills some of them and improves others.
REGIONS = 16


def tree_search(context: MethodContext) -> TreeSearch:
    """Return the tree search that opens the best text first."""
    return TreeSearch(DesignedActions.solve(context))


def uct(context: MethodContext) -> Uct:
    """Return the tree search that treats every text as a bandit."""
    return Uct(DesignedActions.solve(context))


def evolution(context: MethodContext) -> Evolution:
    """Return the evolution of texts."""
    return Evolution(_mutation(context), crossover(domain_of(context.config)))


def quality_diversity(context: MethodContext) -> QualityDiversity:
    """Return quality diversity by random listed actions."""
    return _quality_diversity("quality_diversity", MutationEmitter(_mutation(context)), context)


def quality_diversity_eagle(context: MethodContext) -> QualityDiversity:
    """Return quality diversity by the actions of EAGLE, of the arm that ``train.arms`` names first."""
    return _quality_diversity("quality_diversity_eagle", AgentEmitter(proposing(context, "eagle")), context)


def _mutation(context: MethodContext) -> Mutation:
    return Mutation(context.candidates, context.repeat)


def _quality_diversity(name: str, emitter: Emitter, context: MethodContext) -> QualityDiversity:
    seed = derive_seed(context.config.seed, "quality diversity")
    return QualityDiversity(name, emitter, centroids_of(context.latent, REGIONS, seed))
