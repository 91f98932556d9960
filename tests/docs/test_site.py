"""What docs/hooks.py adds to mkdocs; the site itself is built by `make docs`, strictly."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import markdown
import pytest
import yaml

from tests.docs.pages import ROOT, every_page


@pytest.fixture(scope="module")
def hooks() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hooks", ROOT / "docs/hooks.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "page",
    [
        '<script async src="https://cdn.example/x.js"></script>',
        "<link rel=stylesheet href=//fonts.example/css>",
        '<img alt="a" src="http://example/x.png">',
        '<iframe src="https://example"></iframe>',
        '@import "https://example/x.css";',
        "body { background: url(https://example/x.png) }",
    ],
)
def test_loads_from_the_net_are_found(hooks: ModuleType, page: str) -> None:
    assert len(hooks.loads(page)) == 1


@pytest.mark.parametrize(
    "page",
    [
        '<a href="https://arxiv.org/abs/2406.00024">paper</a>',
        '<script src="../assets/x.js"></script><img src="pictures/a.png">',
        '<link rel="stylesheet" href="assets/x.css">',
        '<svg xmlns="http://www.w3.org/2000/svg"></svg>',
        "url(data:image/svg+xml;charset=utf-8,x)",
    ],
)
def test_links_to_click_and_own_files_are_none(hooks: ModuleType, page: str) -> None:
    assert hooks.loads(page) == []


def test_every_room_has_a_page_with_all_its_public_modules(hooks: ModuleType) -> None:
    assert {"latent", "engine", "training"} <= {room.name for room in hooks.rooms()}
    page = hooks.reference_page(ROOT / "eagle/engine")
    assert "::: eagle.engine.base\n" in page
    assert "::: eagle.engine.torch.model\n" in page
    assert page.count(":::") == len(list((ROOT / "eagle/engine").rglob("*.py")))


def test_contributing_links_within_the_site(hooks: ModuleType) -> None:
    assert hooks.contributing("[a](docs/b.md#c) [d](https://docs/e)") == "[a](b.md#c) [d](https://docs/e)"


def test_source_tags_are_no_links(hooks: ModuleType) -> None:
    assert hooks.plain_tags("why [P] [M: so], `list[int]`") == r"why \[P] \[M: so], `list[int]`"


def test_the_navigation_names_every_page_and_pictures_are_small() -> None:
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    named = {page for part in yaml.safe_load(text)["nav"] for pages in part.values() for page in pages}
    ours = {page.name for page in every_page() if page.parent == ROOT / "docs"} | {"contributing.md"}
    lab = {f"lab/{page.name}" for page in (ROOT / "docs/lab").glob("*.md")}
    assert named == ours | lab
    assert [path for path in (ROOT / "docs/pictures").iterdir() if path.stat().st_size > 150 * 1024] == []


def test_an_inner_product_is_no_tag_and_a_role_is_its_name(hooks: ModuleType) -> None:
    shown = markdown.markdown("U is <z_u, z>, or `<z_u, z>` of :func:`f`.", extensions=[hooks.as_written()])
    product = "&lt;z_u, z&gt;"
    assert shown == f"<p>U is {product}, or <code>{product}</code> of <code>f</code>.</p>"


def test_long_names_in_tables_break_at_their_joints_and_bars_are_bars(hooks: ModuleType) -> None:
    page = r"<code>a.b</code><table><td><code>evaluate.methods</code> <code>\|</code> at 1.5</td></table>"
    assert hooks.with_cells(page) == page.replace("evaluate.", "evaluate.<wbr>").replace("\\|", "|")


@pytest.mark.parametrize("page", every_page(), ids=lambda page: page.name)
def test_no_item_of_a_list_is_swallowed_by_the_one_before(page: Path) -> None:
    extensions = ["attr_list", "def_list", "sane_lists", "tables", "fenced_code"]
    shown = markdown.markdown(page.read_text(encoding="utf-8"), extensions=extensions)
    prose = re.sub(r"<pre>.*?</pre>", "", shown, flags=re.DOTALL)
    assert re.findall(r"^(?:\d+\.|[-*|]|#+) .{0,60}", prose, flags=re.MULTILINE) == []
