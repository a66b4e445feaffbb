"""Who may be asked at all: the settings `allow` and `deny`, which bind every way of choosing. Pure."""

from dataclasses import dataclass

from aix.config.pattern import fits
from aix.errors import RefusedError
from aix.llm.routing import Target


@dataclass(frozen=True, slots=True)
class Permission:
    """Patterns for `provider` or `provider:model`, in which `*` stands for anything. Empty `allow` allows everybody."""

    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()

    def denied(self, target: Target) -> str:
        """The setting that keeps a target from being asked, and how; empty where none does."""
        if any(_covers(pattern, target) for pattern in self.deny):
            return "deny in config.json rules it out"
        if self.allow and not any(_covers(pattern, target) for pattern in self.allow):
            return "allow in config.json leaves it out"
        return ""

    def permits(self, target: Target) -> bool:
        return not self.denied(target)

    def refusal(self, target: Target) -> RefusedError:
        """The error for a target that was named and is not to be asked."""
        why = self.denied(target)
        return RefusedError(
            f"{target.name} is not asked: {why}", hint=f"aix config {why.partition(' ')[0]}", reason="denied"
        )


def _covers(pattern: str, target: Target) -> bool:
    provider, _, model = pattern.strip().removeprefix("custom:").partition(":")
    return fits(provider or "*", target.provider.name) and fits(model or "*", target.model)
