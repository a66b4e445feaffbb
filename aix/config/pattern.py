"""Patterns for names, as `allow`, `deny` and `limits` have them."""


def fits(pattern: str, name: str) -> bool:
    """Whether a name is meant by a pattern, in which `*` stands for anything; case does not matter."""
    first, *others = pattern.strip().casefold().split("*")
    rest = name.casefold()
    if not others:
        return rest == first
    *between, last = others
    if not rest.startswith(first):
        return False
    rest = rest.removeprefix(first)
    for part in between:  # where it stands first leaves the most for what follows
        _, found, rest = rest.partition(part) if part else ("", "*", rest)
        if not found:
            return False
    return rest.endswith(last)
