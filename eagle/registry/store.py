"""Opens the MLflow store so that it can be moved together with the project."""

from __future__ import annotations

import os
import shlex
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import mlflow
from mlflow import MlflowClient, artifacts
from mlflow.exceptions import MlflowException

from eagle.config import RegistryConfig
from eagle.core.commands import run_everything
from eagle.core.errors import user_error
from eagle.core.patience import soon
from eagle.core.project import Project
from eagle.core.workspace import borrow
from eagle.registry.answers import failures_told, no_answer, no_writing
from eagle.registry.location import database_of, resolve_uri
from eagle.registry.turns import opening

ARTIFACTS = "mlruns/artifacts"


@dataclass(frozen=True)
class Store:
    """A client and the experiment in which all runs of the project stand."""

    client: MlflowClient
    uri: str
    experiment_id: str


def open_store(config: RegistryConfig, project: Project) -> Store:
    """Open, and on first use make, the store and its experiment."""
    uri = resolve_uri(config.tracking_uri, project.home)
    database = database_of(uri)
    if database is None:
        return _with_experiment(config.experiment, uri, None)
    try:
        database.parent.mkdir(parents=True, exist_ok=True)
        borrow(project.root, ARTIFACTS)  # which MLflow looks for in the working folder
        with opening(database):
            return _with_experiment(config.experiment, uri, database)
    except OSError as error:
        raise no_writing(error) from None


def _with_experiment(name: str, uri: str, database: Path | None) -> Store:
    """Open the store with its experiment; ``database`` is the file of a local one."""
    client = open_client(uri)
    found = client.get_experiment_by_name(name)
    if found is not None:
        return Store(client, uri, found.experiment_id)
    experiment = client.create_experiment(name, artifact_location=ARTIFACTS if database else None)
    if database is not None:
        _make_relative(database, experiment)
    return Store(client, uri, experiment)


def open_client(uri: str) -> MlflowClient:
    """Return a client of the store at ``uri``; EagleError where it does not answer or cannot be read, or where another
    version of MLflow has made its tables.
    """
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")  # two lines for each of thirty runs
    try:
        with soon(), failures_told():
            client = MlflowClient(tracking_uri=uri, registry_uri=uri)
            client.search_experiments(max_results=1)  # a client opens its store with the first question
    except MlflowException as error:
        if "database schema" not in str(error):
            if uri.startswith("http"):
                raise no_answer(error) from None
            raise
        raise user_error(
            "the MLflow store was made by another version of MLflow",
            found=str(error).split(".")[0],
            expected=f"the tables of MLflow {mlflow.__version__}",
            mend=f"copy the database, then run `mlflow db upgrade {shlex.quote(uri)}`; a store of a newer MLflow needs "
            "that version",
        ) from None
    return client


def _make_relative(database: Path, experiment: str) -> None:
    """Store the artifact folder relative to the project: MLflow writes it absolute, and a moved project would lose its
    artifacts.

    Runs take their own folder from the experiment's; all MLflow commands are run from the project's root, as the
    store's relative address asks anyway.
    """
    with sqlite3.connect(database) as connection:
        connection.execute(
            "UPDATE experiments SET artifact_location = ? WHERE experiment_id = ?", (ARTIFACTS, int(experiment))
        )
    connection.close()


def download(address: str, uri: str) -> Path:
    """Return a folder with the files of an agent that is registered in the store."""
    open_client(uri)
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    try:
        with failures_told():
            return Path(artifacts.download_artifacts(artifact_uri=f"{address}/artifacts/agent"))
    except MlflowException as error:
        raise user_error(
            f"{address} is not in the registry",
            found=error,
            mend=f"run {run_everything()}: it registers what is missing"
            if address.endswith("@champion")
            else "name a version that is there: `eagle report` says which, or leave out --agent for the champion",
        ) from None


def champion_version(client: MlflowClient, model: str) -> str | None:
    """Return the number of the version that has the alias champion; None where there is none."""
    try:
        return str(client.get_model_version_by_alias(model, "champion").version)
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise


def files_lost(client: MlflowClient, model: str, version: str, project: Project) -> bool:
    """Say whether the store knows a version whose files, beside a local store, are gone."""
    place = client.get_model_version_download_uri(model, version)
    return place.startswith(ARTIFACTS) and not (project.home / place).is_dir()
