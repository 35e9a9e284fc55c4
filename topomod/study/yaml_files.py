"""YAML files of studies: read strictly, one on top of another."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any


class StudyError(ValueError):
    """A study's YAML is wrong; the message names the key, what was found and what is allowed."""


def read_yaml(path: Path | str) -> dict[str, Any]:
    """Read a YAML file of keys and values.

    Raises
    ------
    StudyError
        If the file is missing, is no UTF-8 text, is not YAML, holds no keys, or holds a key twice.
    """
    import yaml

    try:
        config = yaml.load(Path(path).read_text(encoding="utf-8"), _strict_loader())
    except OSError as error:
        raise StudyError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise StudyError(f"{path}: is not UTF-8 text (byte {error.start})") from None
    except yaml.YAMLError as error:
        raise StudyError(f"{path}: is not valid YAML ({' '.join(str(error).split())})") from None
    if not isinstance(config, dict):
        raise StudyError(f"{path}: must hold keys and values, found {type(config).__name__}")
    return config


def _strict_loader() -> type:
    """PyYAML's safe loader, but a key that stands twice is an error: the first value would be lost without a word."""
    import yaml

    class StrictLoader(yaml.SafeLoader):
        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
            seen: dict[Any, int] = {}
            for key_node, _ in node.value:
                key, line = self.construct_object(key_node, deep=True), key_node.start_mark.line + 1
                if isinstance(key, Hashable) and key in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"key {key!r} stands twice, in line {seen[key]} and in line {line}"
                    )
                if isinstance(key, Hashable):
                    seen[key] = line
            return super().construct_mapping(node, deep)

    return StrictLoader


def yaml_text(settings: dict[str, Any]) -> str:
    """Settings as YAML that is read as the same values: PyYAML writes 0.00001 as ``1e-05`` and reads that as text."""
    import yaml

    class Dumper(yaml.SafeDumper):
        def represent_float(self, data: float) -> Any:
            text = repr(data)
            written = text if "." in text or "e" not in text else text.replace("e", ".0e")
            return self.represent_scalar("tag:yaml.org,2002:float", written)

    Dumper.add_representer(float, Dumper.represent_float)
    return str(yaml.dump(settings, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=120))


def merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Settings with some changed: nested keys one by one, lists as a whole, as snakemake merges config files."""
    both = {
        key: merged(base[key], value) if isinstance(value, dict) and isinstance(base.get(key), dict) else value
        for key, value in changes.items()
    }
    return base | both
