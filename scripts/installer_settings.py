"""Where packages come from: what pip is configured for, and the same in the words of uv, which does not read it."""

import ast
import os
import subprocess
from collections.abc import Mapping

# What pip calls it -> what uv reads from its environment. Lists are separated by blanks in pip's settings.
UV_NAMES = {
    "index-url": "UV_INDEX_URL",
    "extra-index-url": "UV_EXTRA_INDEX_URL",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
    "timeout": "UV_HTTP_TIMEOUT",
    "default-timeout": "UV_HTTP_TIMEOUT",
}


def environment(python: str) -> dict[str, str]:
    """This process's environment, with what the pip of `python` is configured for handed on to uv."""
    given = dict(os.environ)
    given.pop("PYTHONHOME", None)
    given.pop("PYTHONPATH", None)
    defaults = uv_settings(pip_settings(python))
    if not os.access(os.path.expanduser("~"), os.W_OK):  # noqa: PTH111 - Path.home() raises where there is no home
        defaults["UV_NO_CACHE"] = "1"
    fixed = {"PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    return {**defaults, **given, **fixed}


def uv_settings(settings: Mapping[str, str]) -> dict[str, str]:
    """pip's settings in uv's words, as variables of the environment."""
    # pip looks into all indexes for the best version; the hashes make that safe for uv too.
    defaults = {
        "UV_SYSTEM_CERTS": "1",
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
    }
    for name, value in settings.items():
        if name in UV_NAMES:
            separator = "," if name == "find-links" else " "
            defaults[UV_NAMES[name]] = separator.join(value.split())
    if "no-index" in settings:
        defaults["PIP_NO_INDEX"] = settings["no-index"]
    if "proxy" in settings:
        defaults |= {"HTTPS_PROXY": settings["proxy"], "HTTP_PROXY": settings["proxy"]}
    return defaults


def pip_settings(python: str) -> dict[str, str]:
    """pip's effective settings for installing: those of its files, over them those of its environment."""
    command = [python, "-m", "pip", "config", "list"]
    answer = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if answer.returncode:  # no pip on this machine; its variables may be set all the same
        variables = {key: value for key, value in os.environ.items() if key.startswith("PIP_")}
        return {key[4:].lower().replace("_", "-"): value for key, value in variables.items()}
    return parse_pip_settings(answer.stdout)


def parse_pip_settings(listed: str) -> dict[str, str]:
    """What `pip config list` printed, as the settings of `pip install`: the environment's win over the files'."""
    found: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for line in listed.splitlines():
        key, equals, value = line.partition("=")
        section, _, name = key.rpartition(".")
        if equals and section in found:
            found[section][name] = str(ast.literal_eval(value))
    return {**found["global"], **found["install"], **found[":env:"]}
