"""Files of tests that take more than ten seconds of a slow processor, the longest first (``pytest --durations=60``)."""

LONGEST = (
    "end_to_end/test_pipeline.py",
    "flows/test_flows.py",
    "registry/test_live.py",
    "benchmarks/test_faults.py",
    "end_to_end/test_other_catalogues.py",
    "servers/test_tracking.py",
    "servers/test_orchestration.py",
    "core/test_telemetry.py",
    "compute/test_ray.py",
    "training/test_parallel.py",
    "training/test_all_action.py",
    "training/test_start.py",
    "flows/test_fork_server.py",
    "end_to_end/test_own_parts.py",
    "end_to_end/test_dense_and_sparse.py",
    "training/test_stages.py",
    "docs/test_extending.py",
    "endpoint/test_served.py",
)
