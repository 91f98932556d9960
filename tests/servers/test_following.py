"""A pipeline that is followed while it runs, on a tracking server over PostgreSQL."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from eagle.config import parse_config
from eagle.config.parameters import params_yaml
from eagle.core.artifacts import write_json
from eagle.core.project import Project
from eagle.registry.store import open_store
from tests.registry.followed import SYSTEM, Pipeline, measure_load_at_once, until
from tests.servers.conftest import Servers

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="pipelines are followed on Linux")


def test_curves_and_load_stand_on_the_server_while_a_stage_runs_and_its_files_afterwards(
    servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure_load_at_once(monkeypatch)
    monkeypatch.chdir(tmp_path)
    config, project = parse_config({"registry": {"tracking_uri": servers.mlflow, "experiment": "followed"}}), Project()
    project.params.write_text(params_yaml(config), encoding="utf-8")
    write_json(project.stage_metrics("split"), {"cold_users": 3})
    pipeline = Pipeline(project, open_store(config.registry, project), config.registry)
    pipeline.run("split")
    with pipeline.begin("train@g_optimal", "waits") as stage:
        _, training = until(lambda: len(found := pipeline.runs("stage")) == 2 and found)
        ask = pipeline.store.client.get_metric_history
        history = until(lambda: ask(training.info.run_id, "loss"))
        assert [(m.step, m.value) for m in history] == [(1, 1.0), (2, 0.5), (3, 0.333333)]
        (parent,) = pipeline.runs("pipeline")
        assert (parent.info.status, training.info.status) == ("RUNNING", "RUNNING")
        assert until(lambda: ask(parent.info.run_id, SYSTEM))
        stage.kill()
    pipeline.end()
    assert pipeline.status("pipeline") == ["KILLED"]
    assert pipeline.status("stage") == ["FINISHED", "KILLED"]
    split, _ = pipeline.runs("stage")
    assert split.data.metrics["cold_users"] == 3
    (file,) = pipeline.store.client.list_artifacts(split.info.run_id)
    assert [name for name in servers.stored() if name.endswith(f"{split.info.run_id}/artifacts/{file.path}")]
    assert not pipeline.folder.exists()
