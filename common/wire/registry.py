"""The list of those who do one kind of thing: each registers itself, and one that is incomplete fails at start."""

from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar


class Spec(Protocol):
    """What everyone in a registry declares. `docs`: where every claim in its file comes from."""

    @property
    def code(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def docs(self) -> str: ...


class Declared(Protocol):
    """A class with a spec."""

    @property
    def spec(self) -> Spec: ...


T = TypeVar("T", bound=Declared)


class Registry(Generic[T]):
    """The providers of a kind, by code. `faults`: what a class lacks of what it declares, in words."""

    def __init__(self, kind: str, *, faults: Callable[[T], Sequence[str]] = lambda _cls: ()) -> None:
        self._kind = kind
        self._faults = faults
        self._known: dict[str, T] = {}

    def register(self, cls: T) -> T:
        """Have the provider offered; written at its class. Raises ValueError for a duplicate or incomplete one."""
        spec = cls.spec
        wrong = [f"{name} is empty" for name in ("code", "label", "docs") if not getattr(spec, name)]
        wrong += self._faults(cls)
        if spec.code in self._known:
            wrong.append("its code is taken")
        if wrong:
            raise ValueError(f"the {self._kind} {spec.code or cls}: {', '.join(wrong)}")
        self._known[spec.code] = cls
        return cls

    def get(self, code: str) -> T:
        """Answer the provider of that code; LookupError if there is none."""
        try:
            return self._known[code]
        except KeyError:
            raise LookupError(f"no {self._kind} {code}") from None

    def all(self) -> tuple[T, ...]:
        """Answer every provider, in the order in which people see them."""
        return tuple(self._known.values())
