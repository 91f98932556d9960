"""What mkdocs does for this site beyond its plugins: the reference's pages, CONTRIBUTING.md, brackets and long names as
they should look, and no load from the net.

``mkdocs.yml`` names this file under ``hooks``; mkdocs itself is imported where it is needed, so the tests need it not.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
LOADS = re.compile(
    r"<(?:script|img|iframe|source|video|audio|embed)\b[^>]*?\bsrc=[\"']?(?P<src>(?:https?:)?//[^\"'\s>]+)"
    r"|<link\b(?![^>]*\brel=[\"']?canonical)[^>]*?\bhref=[\"']?(?P<link>(?:https?:)?//[^\"'\s>]+)"
    r"|@import\s+(?:url\()?[\"']?(?P<style>(?:https?:)?//[^\"'\s)]+)"
    r"|\burl\([\"']?(?P<url>(?:https?:)?//[^\"'\s)]+)",
    re.IGNORECASE,
)
CELL = re.compile(r"<td\b.*?</td>", re.DOTALL)
CODE = re.compile(r"(?<=<code>)[^<]+(?=</code>)")
ROLE = re.compile(r":(?:attr|class|data|exc|func|meth|mod|obj):`~?")
JOINT = re.compile(r"([./_:])(?=\w)")


def loads(text: str) -> list[str]:
    """Return the addresses on the net that a page or a style sheet loads by itself; links to click are none."""
    return [next(address for address in match.groups() if address) for match in LOADS.finditer(text)]


def modules(room: Path) -> list[str]:
    """Return the dotted names of the public modules of a room (a folder of eagle/), the room itself first."""
    files = sorted(room.rglob("*.py"), key=lambda path: (path.parent, path.name != "__init__.py", path.name))
    named = [path.relative_to(ROOT).with_suffix("") for path in files if not _private(path)]
    return [".".join(name.parent.parts if name.name == "__init__" else name.parts) for name in named]


def _private(path: Path) -> bool:
    return path.stem.startswith("_") and path.stem != "__init__"


def reference_page(room: Path) -> str:
    """Return the page of one room: every module by its docstrings."""
    return "\n".join([f"# eagle.{room.name}", "", *(f"::: {module}\n" for module in modules(room))])


def rooms() -> list[Path]:
    """Return the folders of eagle/ that hold modules."""
    return sorted(path.parent for path in (ROOT / "eagle").glob("*/__init__.py"))


def contributing(text: str) -> str:
    """Return CONTRIBUTING.md as a page of the site: its links start at the root, the site's in docs/."""
    return text.replace("](docs/", "](")


def as_written() -> Any:
    """Return a Markdown extension for what Markdown does not know: it shows angle brackets as they stand, and a role
    (:func:`name`) as the name.

    Markdown takes the product <z_u, z> for a tag otherwise, and a browser shows nothing of a tag that it does not know.
    """
    from markdown.extensions import Extension
    from markdown.preprocessors import Preprocessor

    class Roles(Preprocessor):
        def run(self, lines: list[str]) -> list[str]:
            return [ROLE.sub("`", line) for line in lines]

    class AsWritten(Extension):
        def extendMarkdown(self, md: Any) -> None:
            md.inlinePatterns.deregister("html")
            md.preprocessors.register(Roles(md), "roles", 20)

    return AsWritten()


def on_config(config: Any) -> Any:
    """List the rooms' pages at the end of the reference; pages and docstrings hold no HTML."""
    config["markdown_extensions"].append(as_written())
    pages = [f"reference/{room.name}.md" for room in rooms()]
    reference = next(part["Reference"] for part in config["nav"] if "Reference" in part)
    reference.append({"Modules": pages})
    return config


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that no file of docs/ holds."""
    from mkdocs.structure.files import File

    for room in rooms():
        files.append(File.generated(config, f"reference/{room.name}.md", content=reference_page(room)))
    text = contributing((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    files.append(File.generated(config, "contributing.md", content=text))
    return files


def plain_tags(text: str) -> str:
    """Return parameters.md with its source tags, such as [M: ...], escaped: they are no links."""
    return re.sub(r"\[(?=[PMO]\b)", r"\\[", text)


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Mend the one page whose brackets read like links."""
    return plain_tags(markdown) if page.file.src_uri == "parameters.md" else markdown


def with_cells(html: str) -> str:
    """Return a page whose tables may break a long name after its dots, slashes and underscores, and nowhere else.

    A bar that is escaped in the table's source is shown as a bar.
    """
    return CELL.sub(
        lambda cell: CODE.sub(lambda code: JOINT.sub(r"\1<wbr>", code[0].replace(r"\|", "|")), cell[0]), html
    )


def on_page_content(html: str, page: Any, config: Any, files: Any) -> str:
    """Let long names in tables break where they are joined."""
    return with_cells(html)


def on_post_build(config: Any) -> None:
    """Refuse a site that would load anything from the net."""
    from mkdocs.exceptions import PluginError

    site = Path(config["site_dir"])
    found = [
        f"{path.relative_to(site)} loads {address}"
        for path in sorted(site.rglob("*"))
        if path.suffix in {".html", ".css"}
        for address in loads(path.read_text(encoding="utf-8"))
    ]
    if found:
        raise PluginError("the site has to work without a network:\n" + "\n".join(found))
