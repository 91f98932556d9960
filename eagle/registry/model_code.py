"""The file that MLflow stores and runs in place of a pickled object."""

from mlflow.models import set_model

from eagle.serving import SteeringModel

set_model(SteeringModel())
