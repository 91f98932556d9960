"""Data Docs that read without a network: great-expectations' own pages fetch styles, scripts and pictures when they are
opened.

The pages' frame and the one table that only a script would fill are templates of ours (``docs_pages/``); all else stays
great-expectations' own. What they show is escaped before it gets here (eagle.data.checks).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from great_expectations.render.view import DefaultJinjaPageView
from jinja2 import ChoiceLoader, PackageLoader


def site(seen: Sequence[Sequence[str]] = ()) -> Any:
    """Return how great-expectations is told to use the view, in place of its site ``local_site``.

    ``seen``: (what, words) of each line that the index shows above the checks.
    """
    view = {"module_name": __name__, "class_name": "OfflineView"}
    return {
        "class_name": "SiteBuilder",
        "show_how_to_buttons": False,
        "store_backend": {
            "class_name": "TupleFilesystemStoreBackend",
            "base_directory": "uncommitted/data_docs/local_site/",
        },
        "site_index_builder": {
            "class_name": "DefaultSiteIndexBuilder",
            "view": {**view, "seen": [list(line) for line in seen]},
        },
        "site_section_builders": {
            name: {"class_name": "DefaultSiteSectionBuilder", "view": view} for name in ("expectations", "validations")
        },
    }


class OfflineView(DefaultJinjaPageView):
    """great-expectations' page view, with our templates before its own of the same name; index and sections share one
    frame.
    """

    def __init__(self, seen: Sequence[Sequence[str]] = (), **directories: Any) -> None:
        super().__init__(**directories)
        self.env.globals["seen"] = seen
        loaders: list[Any] = [PackageLoader("eagle.data", "docs_pages"), self.env.loader]
        self.env.loader = ChoiceLoader(loaders)
