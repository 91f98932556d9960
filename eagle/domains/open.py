"""How ``domain`` in params.yaml finds a domain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from eagle.built_in.domains import DOMAINS
from eagle.config import Config, DataConfig, DomainConfig
from eagle.core.errors import EagleError, user_error
from eagle.core.parts import load_part
from eagle.domains.base import Domain, WrittenDomain
from eagle.domains.without_labels import without_labels

AUTO, PLAIN = "auto", "plain"


def kind_of(noun: str) -> str:
    """Return the name of the built-in domain whose noun this is, else that of the plain one."""
    return next((kind for kind, known in DOMAINS.items() if noun.strip().lower() in known.nouns), PLAIN)


def open_domain(settings: DomainConfig, data_noun: str) -> Domain:
    """Return the domain of the section ``domain``; ``data_noun`` is data.noun, used where the section names no noun.

    Raises EagleError where there is no such domain, or what is named is none.
    """
    noun = settings.noun or data_noun
    kind = kind_of(noun) if settings.kind in (None, AUTO) else settings.kind
    known = DOMAINS.get(kind)
    if known is not None:
        _refuse_unread(settings, kind)
        if settings.noun is None and known.nouns and noun.lower() not in known.nouns:
            noun = known.nouns[0]
    make = load_part("domain", kind, DOMAINS)
    domain = make(settings, noun)
    if not isinstance(domain, Domain):
        raise _no_domain(kind, domain)
    return domain


def domain_of(config: Config) -> Domain:
    """Return the domain of a project; reads the sections data and domain.

    Where ``data`` says that items have no categories, texts, prompts and profiles do without them.
    """
    data = config.data
    domain = open_domain(config.domain, data.item_noun)
    if data.has_categories or not isinstance(domain, WrittenDomain) or not domain.fields.labels:
        return domain
    return without_labels(domain)


def default_domain() -> Domain:
    """Return the domain of the default parameters."""
    return open_domain(DomainConfig(), DataConfig().noun)


def _refuse_unread(settings: DomainConfig, kind: str) -> None:
    set_ones = [name for name in ("labels", "body", "actions", "examples") if getattr(settings, name)]
    if kind != PLAIN and set_ones:
        raise user_error(
            f"the domain {kind} does not read {', '.join(f'domain.{name}' for name in set_ones)}",
            expected="these with domain.kind plain or a domain of your own",
            mend="set domain.kind to plain, or leave them out",
        )


def _no_domain(kind: str, found: Any) -> EagleError:
    wanted = [name for name in vars(Domain) if not name.startswith("_")]
    missing = [name for name in wanted if not hasattr(found, name)]
    return user_error(
        f"what {kind} makes is no domain",
        found=f"{type(found).__name__} without {', '.join(missing)}",
        expected="an object with all of these; eagle.domains.base.Domain says what each is",
        mend="return dataclasses.replace(plain(settings, noun), ...) with what differs",
    )


Make = Callable[[DomainConfig, str], Domain]
"""What ``kind: package.module:Name`` names."""
