"""The prompts of one place, wired together: found in their layers, chosen, trusted, rendered."""

import datetime
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Any

import aix
from aix.bounded import Limits
from aix.cached import cached_property
from aix.config.paths import Paths, find_cache, git_root, in_home
from aix.errors import NotFoundError, RefusedError, StorageError, UsageError

if TYPE_CHECKING:
    from aix.config.secrets import Secret
    from aix.library.collections.sharing import Sharing
    from aix.library.convert import Converted
    from aix.library.layer import Layer
    from aix.library.library import Library
    from aix.library.place import Place
    from aix.library.prompt import Prompt
    from aix.library.reference import Reference
    from aix.library.snapshot import Repository
    from aix.library.splice import Value
    from aix.library.templates.template import Template
    from aix.library.trust.authoring import Authoring, Before
    from aix.library.trust.commands import Sh
    from aix.library.trust.store import Seen, TrustStore
    from aix.messages import Message

STRANGERS = Limits(wall=5.0, cpu=2.0, memory=512 * 1024**2)
"""What the rendering of a content may take that is not trusted."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A prompt with its template, each read once. `revision` is the commit that it is as of; empty for the files as
    they are."""

    prompt: "Prompt"
    template: "Template"
    revision: str = ""


def _silent(_: str) -> None:
    pass


class Prompts:
    """`paths` says where things live; `warn` is told, in a sentence, what a person should know, and `notice` what is
    waited for; `secrets` gives the keys that no command may see."""

    def __init__(
        self,
        paths: Callable[[], Paths],
        env: Mapping[str, str],
        cwd: Path,
        warn: Callable[[str], None],
        secrets: "Callable[[], list[Secret]]",
        notice: Callable[[str], None] = _silent,
    ) -> None:
        self._find_paths = paths
        self._env = env
        self._cwd = cwd
        self._warn = warn
        self._secrets = secrets
        self._notice = notice
        self.with_project = True
        """Whether the project's own prompts and settings count."""

    @cached_property
    def _paths(self) -> Paths:
        return self._find_paths()

    def library_at(self, directory: str | None) -> "Library":
        """The library with `directory` in the place of the user's own prompts; None for the usual one."""
        from aix.library.index import Index
        from aix.library.layer import Layer
        from aix.library.library import Library
        from aix.library.place import BUILT_IN

        user = in_home(directory, self._paths.home, self._cwd) if directory else self._paths.library
        layers = [
            Layer("user", user),
            *self._project_layer(user),
            *self._collections,
            Layer(BUILT_IN, built_in_prompts()),
        ]
        return Library(layers, self._includes, self._warn, Index(self.cache / "index", self._notice), self._past)

    @property
    def project(self) -> "Layer":
        """The project's own prompts, whether there are any yet or not. Raises UsageError where there is no project, and
        where its folder is not in it, or is the user's own."""
        from aix.library.layer import Layer

        if self.project_folder is None:
            if not self.with_project:
                raise UsageError("--no-project and --project contradict each other", hint="leave one of them out")
            here = "your home directory" if self._cwd != Path("/") else "the root directory, or one that was deleted"
            raise UsageError(f"this is {here}, not a project", hint="cd into the project and do it there")
        if not self.project_folder.resolve().is_relative_to(self.project_folder.parent.resolve()):
            raise UsageError(f"{self.project_folder} leads out of the project", hint="put a folder in its place")
        if self.project_folder.resolve() == self._paths.library.resolve():
            raise UsageError(f"{self.project_folder} is your own library here", hint="name the prompt without project")
        return Layer("project", self.project_folder)

    def place(self, name: str, library: str | None) -> "Place":
        """Where the prompt of a name or of a file can be read, also the past of one. Raises NotFoundError or
        UsageError."""
        from aix.library.library import file_place, is_file_name

        if is_file_name(name):
            return file_place(in_home(name, self._paths.home, self._cwd))
        return self.library_at(library).source(name)

    def new_place(self, name: str, library: str | None, *, project: bool) -> "Place":
        """The place of a new prompt: the user's own unless `project` or its name says otherwise. Raises UsageError or
        NotFoundError."""
        from aix.library.place import PROJECT
        from aix.library.reference import reference

        layer = reference(name).layer
        if project and layer not in ("", PROJECT):
            raise UsageError(f"'{name}' and --project name two layers", hint="leave one of them out")
        return self.library_at(library).refuse(name, self.project if project or layer == PROJECT else None)

    def choose(self, name: str, library: str | None, stdin: Callable[[], str]) -> Chosen:
        """The prompt of a name, of a file, or of standard input (`-`). Raises NotFoundError or TemplateError."""
        from aix.library.document import decode, parse
        from aix.library.library import is_file_name, open_file

        if name == "-":
            prompt, layer = parse(decode(stdin().encode("utf-8", "surrogatepass"), "-"), "-"), None
        elif is_file_name(name):
            prompt, layer = open_file(in_home(name, self._paths.home, self._cwd))
        else:
            prompt, layer = self.library_at(library).get(name)
        for warning in prompt.warnings:
            self._warn(warning)
        return Chosen(prompt, self.template(prompt, layer), layer.revision if layer else "")

    def text_of(self, data: bytes, place: str, fields: Mapping[str, Any]) -> str:
        """A new prompt's text, with `fields` in its front matter. Raises TemplateError or UsageError."""
        from aix.library.document import declare, decode

        return declare(decode(data, place), fields)

    def spliced(self, data: bytes, place: str, fields: "Mapping[str, Value]") -> bytes:
        """A prompt's file with other `fields` in its front matter, and else as it is. Raises TemplateError."""
        from aix.library.splice import splice

        return splice(data, fields, place)

    def convert(self, text: str) -> "Converted":
        """A prompt's text with Jinja in the place of older placeholders. Raises TemplateError."""
        from aix.library.convert import convert

        return convert(text)

    def param_file(self, path: str) -> Mapping[str, Any]:
        """Many values for a prompt's params. Raises UsageError."""
        from aix.library.param_file import read

        return read(path, self._cwd)

    def template(self, prompt: "Prompt", layer: "Layer | None") -> "Template":
        """The prompt with all that it includes from its layer; without a layer it can include nothing."""
        from aix.library.templates.template import Template, nothing

        return Template(prompt, layer.read if layer else nothing)

    def render(
        self, chosen: Chosen, values: Mapping[str, Any], *, commands: bool, pin: str = ""
    ) -> "tuple[Message, ...]":
        """The messages. `commands` says whether `sh(…)` may run; it does where the content is trusted, or is the very
        one of `pin`, a digest. Content that is not trusted is rendered by a child process, within limits.

        Raises TemplateError, or RefusedError (`untrusted`) for a command of what is not trusted."""
        if pin:
            self.check(chosen, pin)
        trusted = bool(pin) or self.trusts(chosen)
        sh = self._sh(chosen, values, trusted=trusted, commands=commands)
        return chosen.template.render(values, self.surroundings(), sh=sh, limits=None if trusted else STRANGERS)

    def check(self, chosen: Chosen, pin: str) -> None:
        """Raise RefusedError for a content that is another than the one of the digest `pin`, UsageError for what is no
        digest."""
        from aix.library.trust.store import DIGEST

        if not DIGEST.fullmatch(pin):
            raise UsageError(
                f"--trust takes a whole digest, sha256: and 64 digits, not '{pin}'",
                hint=f"that of '{chosen.prompt.name}' as it is now is {chosen.template.digest}",
            )
        if chosen.template.digest != pin:
            raise RefusedError(
                f"'{chosen.prompt.name}' is another content than --trust names: {chosen.template.digest}",
                hint=f"aix show {self.called(chosen.prompt, chosen.revision)}; what was reviewed is {pin}",
                reason="untrusted",
            )

    def trusts(self, chosen: Chosen) -> bool:
        """Whether a content may run commands: what comes with aix, and what is in the trust store."""
        return self.authoring.trusts(chosen.prompt, chosen.template)

    def called(self, prompt: "Prompt", revision: str = "") -> str:
        """How a prompt is named on a command line, so that no other is meant: in words for a shell."""
        from aix.library.trust.commands import called

        return called(prompt, self._paths.library, revision)

    def before(self, place: "Place", was: bytes) -> "Before":
        """What is trusted of a prompt's file that holds `was` and that aix is about to write, for `saved`."""
        return self.authoring.before(place, was)

    def saved(self, before: "Before", prompt: "Prompt", layer: "Layer") -> bool:
        """Carry on what was trusted before a prompt's file was saved, with what includes it; whether the prompt is
        trusted as it is now."""
        return self._kept(prompt, lambda: self.authoring.saved(before, prompt, layer))

    def wrote(self, prompt: "Prompt", layer: "Layer", texts: Collection[str] = ()) -> bool:
        """Trust what the user wrote, unless it includes somebody else's commands, which `texts` do not have; whether it
        is trusted."""
        return self._kept(prompt, lambda: self.authoring.wrote(prompt, layer, {prompt.text, *texts}))

    def moved(self, was: Chosen, prompt: "Prompt", layer: "Layer") -> bool:
        """Keep what a trusted content is called in a new place; whether it is the same content there."""
        return self.trusts(was) and self._kept(prompt, lambda: self.authoring.moved(was.template, prompt, layer))

    def remembered(self, name: str, library: str | None) -> "Seen":
        """What a prompt that cannot be read is called in the trust store."""
        from aix.library.trust.remembered import remembered

        return remembered(name, in_home(name, self._paths.home, self._cwd), self.library_at(library))

    def digest_of(self, name: "Seen") -> str | None:
        """The digest of what is had now by a name of the trust store, if there is something that can be read."""
        from aix.library.trust.remembered import digest_of

        return digest_of(name, self.library_at(None))

    def _kept(self, prompt: "Prompt", keep: Callable[[], bool]) -> bool:
        """What `keep` says; where that cannot be written, the prompt is saved all the same."""
        try:
            return keep()
        except StorageError as error:
            self._warn(f"'{prompt.name}' is saved, and not trusted: {error.message}")
            return False

    @cached_property
    def authoring(self) -> "Authoring":
        from aix.library.trust.authoring import Authoring

        return Authoring(self.trust)

    @cached_property
    def trust(self) -> "TrustStore":
        """The contents that the user trusts."""
        from aix.library.trust.store import TrustStore

        return TrustStore(self._paths.state / "trust", time)

    def _sh(self, chosen: Chosen, values: Mapping[str, Any], *, trusted: bool, commands: bool) -> "Sh":
        from aix.config.secrets import without_keys
        from aix.library.trust.commands import left_out, refused
        from aix.library.trust.shell import Machine, running

        if not commands:
            return left_out
        if not trusted:
            return refused(chosen.prompt, chosen.template.digest, self.called(chosen.prompt, chosen.revision))
        params, keys = chosen.template.params, self._secrets()
        private = [str(values[param.name]) for param in params if param.secret and values.get(param.name)]
        machine = Machine(
            self._cwd,
            without_keys(self._env, keys),
            choices=[str(choice) for param in params for choice in param.choices],
            secrets=[*private, *(key.reveal() for key in keys)],
            notice=self._notice,
        )
        return running(machine)

    def surroundings(self) -> dict[str, object]:
        """The values that every template has besides its params."""
        from aix.library.templates.surroundings import surroundings

        return surroundings(self._cwd, self._env, datetime.datetime.now().astimezone())

    def revision(self, prompt: "Prompt") -> str:
        """The commit that is checked out where a prompt lies; empty where there is none."""
        from aix.library.place import BUILT_IN
        from aix.library.templates.surroundings import revision

        return "" if prompt.path is None or prompt.layer == BUILT_IN else revision(prompt.path.parent)

    @cached_property
    def cache(self) -> Path:
        """Where what can be made again is kept."""
        return find_cache(self._env, self._paths.home)

    @cached_property
    def project_folder(self) -> Path | None:
        """`.prompts` at the git root, or here where there is none; those of the home and the root directory are never a
        project's."""
        root = git_root(self._cwd) or self._cwd
        outside = not self.with_project or root.resolve() in (self._paths.home.resolve(), Path("/"))
        return None if outside else root / ".prompts"

    def _project_layer(self, user: Path) -> list["Layer"]:
        from aix.config.project import is_own

        folder = self.project_folder
        if folder is None:
            return []
        others = (user, self._paths.library)
        if os.path.lexists(folder):
            return [self.project] if all(is_own(folder, other) for other in others) else []
        return [] if folder.resolve() in {other.resolve() for other in others} else [self.project]

    def sharing(self, library: str | None) -> "Sharing":
        """The prompts as they can be shared: in a folder, or in an archive."""
        from aix.library.collections.lock import read_lock
        from aix.library.collections.sharing import Origin, Sharing

        def origin(name: str) -> Origin:
            found = read_lock(self._paths.lock).find(name)
            return Origin.of(found) if found else Origin()

        return Sharing(self.library_at(library), origin, self._secrets)

    @cached_property
    def _collections(self) -> list["Layer"]:
        """The collections of the user, in their order; read once, since what is wrong with them is said once."""
        if not self._paths.lock.exists():
            return []
        from aix.library.collections import layers

        return layers(self._paths.lock, self._paths.collections, self._warn)

    def _past(self, layer: "Layer", named: "Reference") -> "Layer":
        """A layer as git has it at a revision in which it has a prompt. Raises NotFoundError."""
        from aix.config.secrets import without_keys
        from aix.library.place import BUILT_IN, PROJECT, USER
        from aix.library.snapshot import around, snapshot

        if layer.name == BUILT_IN:
            message = "the built-in prompts have no revisions; they are as this version of aix has them"
            raise NotFoundError(message, hint="aix --version", reason="repository")
        own = layer.name in (USER, PROJECT)
        repository = around(layer.root) if own else self._repository(layer.name)
        return snapshot(layer, named, repository, without_keys(self._env, self._secrets()))

    def _repository(self, name: str) -> "Repository | None":
        """Where git keeps a collection; None for one that came otherwise."""
        from aix.library.collections.lock import read_lock
        from aix.library.collections.store import repository_in
        from aix.library.snapshot import Repository

        for collection in read_lock(self._paths.lock).collections:
            kept = repository_in(self._paths.collections, collection.source)
            if collection.name == name and kept.is_dir():
                return Repository(kept, collection.path, collection.pin, bare=True)
        return None

    def _includes(self, prompt: "Prompt", read: Callable[[str], str]) -> Sequence[str]:
        from aix.library.templates.template import Template

        return Template(prompt, read).includes


def built_in_prompts() -> Path:
    """The starter prompts: inside the package once it is installed, beside it in a checkout."""
    package = Path(aix.__file__).parent
    installed = package / "prompts"
    return installed if installed.is_dir() else package.parent / "prompts"
