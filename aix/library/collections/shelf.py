"""The collections of one library: added, updated, looked at, removed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from aix.errors import AixError, NotFoundError, UsageError
from aix.library.collections.folder import tree_of
from aix.library.collections.lock import (
    RESERVED,
    Collection,
    Lock,
    change_lock,
    is_collection_name,
    is_folder_path,
    pin_of,
    read_lock,
)
from aix.library.collections.repository import Repository
from aix.library.collections.source import Source, find_source
from aix.library.collections.store import Store
from aix.library.collections.survey import Change, changes, commands, prompt_names
from aix.library.collections.tree import Tree


@dataclass(frozen=True, slots=True)
class Taken:
    """A collection with its files: those that are here, or those that would be. `folders` are where prompts may be,
    where there are none."""

    collection: Collection
    tree: Tree
    folders: tuple[str, ...] = ()

    @property
    def prompts(self) -> list[str]:
        return prompt_names(self.tree.files)

    @property
    def commands(self) -> dict[str, tuple[str, ...]]:
        """The prompts that may run commands, with those."""
        return commands(self.tree.files)


@dataclass(frozen=True, slots=True)
class Update:
    """What a collection is, and what it would be. `missing` says that it is not here, or not as it is pinned, and is
    fetched just so; `rewritten` that the commit that was pinned is in the history no more."""

    old: Collection
    new: Taken
    changes: tuple[Change, ...] = ()
    missing: bool = False
    rewritten: bool = False

    @property
    def moves(self) -> bool:
        """Whether the pin would be another."""
        return self.old.pin != self.new.collection.pin


class Collections:
    """What the `lock` of a library names, and what is in `data` of it. `env` has no keys; `notice` is told what is
    being waited for."""

    def __init__(self, lock: Path, data: Path, env: Mapping[str, str], notice: Callable[[str], None]) -> None:
        self._lock = lock
        self._env = env
        self._notice = notice
        self.store = Store(data, lock)

    def all(self) -> tuple[Collection, ...]:
        """The collections in their order. Raises ConfigError."""
        return read_lock(self._lock).collections

    def get(self, name: str) -> Collection:
        """Raises NotFoundError."""
        if found := next((one for one in self.all() if one.name == name), None):
            return found
        raise NotFoundError(f"there is no collection '{name}'", hint="aix collection list", reason="collection")

    def here(self, collection: Collection) -> Taken | None:
        """A collection with the files that are on this machine; None where it is not."""
        manifest = self.store.manifest(collection)
        return Taken(collection, Tree(self.store.files(collection), manifest.left_out)) if manifest else None

    def add(self, asked: Collection, home: Path, cwd: Path) -> Taken:
        """Take what is asked for as it is there now, behind the other collections; what has no name gets that of its
        source. Raises AixError: then nothing is kept."""
        source = find_source(asked.source, home, cwd)
        path = asked.path.removeprefix("./").rstrip("/")
        wanted = replace(asked, name=asked.name or source.name, source=source.text, path=path)
        refuse(wanted.name, read_lock(self._lock))
        _refuse_path(wanted.path)
        with self.store.held():
            try:
                taken = self._fetched(wanted, source)
                return replace(taken, collection=self._put(taken.collection, taken.tree))
            except BaseException:
                self.store.sweep()
                raise

    def install(self, collection: Collection, files: Mapping[str, bytes]) -> Collection:
        """Keep files, named from the root of the collection with their `.md`, under its name and pin, behind the other
        collections. Raises UsageError for a name that is taken or cannot be one."""
        refuse(collection.name, read_lock(self._lock))
        with self.store.held():
            try:
                return self._put(collection, Tree(files))
            except BaseException:
                self.store.sweep()
                raise

    def look(self, collection: Collection) -> Update:
        """What an update would bring; nothing is changed by looking. One that is not here is meant at its pin. Raises
        AixError."""
        if collection.kind == "archive":
            hint = f"aix collection import FILE --name {collection.name} takes a newer one"
            raise UsageError("it is from an archive, and stays as it is", hint=hint)
        source = _source(collection)
        with self.store.held():
            if not self.store.is_whole(collection):
                return Update(collection, self._pinned(collection, source), missing=True)
            new = self._fetched(collection, source)
            if new.collection.pin == collection.pin:
                return Update(collection, new)
            found = tuple(changes(self.store.files(collection), new.tree.files))
            return Update(collection, new, found, rewritten=self._is_rewritten(collection, new.collection, source))

    def compare(self, old: Collection, new: Collection, files: Mapping[str, bytes]) -> Update:
        """What files would bring to a collection that is no repository; nothing is changed by looking."""
        with self.store.held():
            whole = self.store.is_whole(old)
            found = tuple(changes(self.store.files(old), files)) if whole else ()
        return Update(old, Taken(new, Tree(files)), found, missing=not whole and old.pin == new.pin)

    def take(self, update: Update) -> None:
        """Make an update what the collection is. Raises UsageError where it is another by now, or gone."""

        def unchanged(lock: Lock) -> Lock:
            if lock.find(update.old.name) != update.old:
                raise UsageError(f"{update.old.name} was changed by somebody else meanwhile, and is left as it is")
            return lock

        with self.store.held():
            unchanged(read_lock(self._lock))
            self.store.write(update.new.collection, update.new.tree)
            if update.moves:
                change_lock(self._lock, lambda lock: unchanged(lock).with_one(stamped(update.new.collection)))

    def remove(self, collection: Collection) -> None:
        """Forget a collection, and what is here of it."""
        with self.store.held():
            change_lock(self._lock, lambda lock: lock.without(collection.name))
            self.store.sweep()

    def _repository(self, source: Source) -> Repository:
        return Repository(self.store.repository(source.text), self._env)

    def _in_repository(self, source: Source, taken: Callable[[Repository], Taken]) -> Taken:
        """What is taken from the repository that is kept of a source, which is made anew where it is damaged."""
        repository = self._repository(source)
        try:
            return taken(repository)
        except AixError:
            if repository.is_sound():
                raise
        repository.forget()
        return taken(repository)

    def _fetched(self, wanted: Collection, source: Source) -> Taken:
        """What is there now of a collection, with its pin."""
        self._notice(f"fetching {wanted.name} …")
        if not source.git:
            return _copied(wanted, source)

        def taken(repository: Repository) -> Taken:
            commit = repository.fetch(source, wanted.rev)
            repository.keep(commit)
            return _of_commit(replace(wanted, pin=commit), repository)

        return self._in_repository(source, taken)

    def _pinned(self, wanted: Collection, source: Source) -> Taken:
        """What is pinned of a collection, whatever is there now. Raises NotFoundError where that is gone."""
        if wanted.kind == "git" and source.git:
            self._notice(f"fetching {wanted.name} …")

            def taken(repository: Repository) -> Taken:
                repository.fetch_pin(source, wanted.pin)
                return _of_commit(wanted, repository)

            return self._in_repository(source, taken)
        found = _copied(wanted, source)
        if found.collection.pin != wanted.pin:
            raise NotFoundError(f"{wanted.source} is no longer what collections.lock pins", reason="pin")
        return found

    def _is_rewritten(self, old: Collection, new: Collection, source: Source) -> bool:
        if old.kind != "git" or new.kind != "git":
            return False
        return not self._repository(source).is_behind(old.pin, new.pin)

    def _put(self, collection: Collection, tree: Tree) -> Collection:
        """Write the files of a new collection, and then its line of the lock."""
        dated = stamped(collection)
        self.store.write(dated, tree)

        def change(lock: Lock) -> Lock:
            refuse(dated.name, lock)
            return lock.with_one(dated)

        change_lock(self._lock, change)
        return dated


def _source(collection: Collection) -> Source:
    """Where a collection came from. Raises NotFoundError for a folder that is not there any more."""
    try:
        return find_source(collection.source, Path("/"), Path("/"))
    except NotFoundError as error:
        error.hint = f"has it moved? aix collection remove {collection.name}, then add it from where it is now"
        raise


def _of_commit(collection: Collection, repository: Repository) -> Taken:
    tree = repository.tree(collection.pin, collection.path)
    taken = Taken(collection, tree)
    return taken if taken.prompts else Taken(collection, tree, tuple(repository.folders(collection.pin)))


def _copied(wanted: Collection, source: Source) -> Taken:
    """The files of a plain folder. Raises UsageError or NotFoundError."""
    if wanted.rev:
        raise UsageError(f"{source.text} is no git repository, and has no revisions", hint="leave out --rev")
    root = (source.folder or Path()) / wanted.path
    if not root.is_dir() or not root.resolve().is_relative_to(source.folder or Path()):
        raise NotFoundError(f"there is no folder '{wanted.path}' in {source.text}", hint="--path FOLDER", reason="path")
    tree = tree_of(root)
    return Taken(replace(wanted, pin=pin_of(tree.files)), tree)


def stamped(collection: Collection) -> Collection:
    """The same, taken now."""
    return replace(collection, when=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))


def refuse(name: str, lock: Lock) -> None:
    """Raise UsageError for a name that cannot be a collection's, or is one's."""
    if name.casefold() in RESERVED:
        raise UsageError(f"'{name}' is the name of a layer already", hint="--name gives it another name")
    if not is_collection_name(name):
        hint = "--name NAME: letters from A to Z, digits and . _ -"
        raise UsageError(f"'{name}' cannot be a collection's name", hint=hint)
    if taken := lock.find(name):
        hint = f"aix collection update {taken.name}, or --name gives this one another name"
        raise UsageError(f"there is a collection '{taken.name}' already", hint=hint)


def _refuse_path(path: str) -> None:
    if path and not is_folder_path(path):
        raise UsageError(f"--path: '{path}' is no folder in a repository", hint="--path prompts/team")
