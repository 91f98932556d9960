"""From a source of ratings to the latent space, the texts and the profiles."""

from __future__ import annotations

from prefect import flow

from flows import fork_server
from flows.dvc import bring_up_to_date
from flows.names import dated


@flow(
    name="embedding training",
    flow_run_name=dated("embedding training"),
    description="Catalogue, checks, splits, factors, descriptions, text encoder E_D, profiles.",
)
def embedding_training(anew: bool = False) -> None:
    """``anew``: ask the source again, though nothing here has changed; what it gives is compared by hash."""
    with fork_server.running():
        if anew:
            bring_up_to_date("catalogue, fetched anew", ["fetch"], anew=True)
        bring_up_to_date("catalogue and splits", ["fetch", "models", "validate", "split"])
        bring_up_to_date("latent space", ["factors", "describe", "quality", "encoder", "profiles"])
