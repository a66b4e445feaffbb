"""Which models could do what the one that was asked cannot."""

from collections.abc import Mapping

from aix.errors import AixError, NotFoundError, UsageError
from aix.llm.catalogue import Catalogue
from aix.llm.protocols import UNCARRIED
from aix.llm.routing import Target

UNABLE: Mapping[str, tuple[str, str]] = {
    "vision": ("images", "aix model list --vision"),
    "pdf": ("PDF files", "attach its text: pdftotext FILE - | aix run NAME -a -"),
}
"""What a model without a capability cannot read, and what to do then."""


def blind(target: Target, lacking: str, catalogue: Catalogue) -> UsageError:
    """The error for a model that cannot read what it would be sent, with some that can."""
    provider = target.provider
    hopeless = lacking in UNCARRIED[provider.protocol]
    known = () if hopeless else catalogue.of(provider.name)
    able = [other for other in known if lacking in other.capabilities]
    usual = (provider.default_model, *provider.roles.values())
    able.sort(key=lambda other: (other.id not in usual, bool(other.retires)))
    names = ", ".join(f"{provider.name}:{other.id}" for other in able[:3])
    said, way_out = UNABLE[lacking]
    hints = [f"these can: {names}", way_out] if names else [way_out]
    return UsageError(f"{target.name} cannot read {said}", hint="\n".join(hints))


def name_models(error: AixError, target: Target, catalogue: Catalogue) -> None:
    """Add to an error that means "no such model" names that are near, or where the models are listed."""
    if not isinstance(error, NotFoundError) or error.status != 404:
        return
    name = target.provider.name
    near = [f"{name}:{model}" for model in catalogue.near(name, target.model) if model != target.model]
    listed = f"did you mean {' or '.join(near)}?" if near else f"aix model list --provider {name} --live"
    error.hint = f"{error.hint}\n{listed}".strip()
